"""Judge DICOM files one by one: ``python -m sdq_imaging.dicom [--zh] FILE ...``.

Prints the findings of each file and, where dciodvfy is installed, which missing and empty
attributes only one of the two reports. Ends with 1 when a file has an error, else with 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdq_core.errors import UnreadableItem
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.agreement import ours
from sdq_imaging.dicom.second_opinion import second_opinion
from sdq_imaging.dicom_rules import check, identifiers, level_of
from sdq_imaging.formats.dicom import header


def main(arguments: list[str] | None = None) -> int:
    """Judge the files that are named on the command line.

    Returns
    -------
    int
        Exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m sdq_imaging.dicom", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--zh", action="store_true", help="Chinese messages")
    options = parser.parse_args(arguments)
    failed = False
    for path in options.files:
        try:
            level = level_of(header(path))
        except UnreadableItem as error:
            failed = True
            sys.stdout.write(f"{path.name}: error {error.rule}: {error}\n")
            continue
        found = (*check(level, questions=True), *identifiers(level))
        failed |= any(f.severity is Severity.ERROR for f in found)
        sys.stdout.write(f"{path.name}: {len(found)} findings\n")
        for finding in found:
            message = finding.message_zh if options.zh else finding.message
            sys.stdout.write(f"  {finding.severity} {finding.rule} {finding.where}: {message}\n")
        other = second_opinion(path)
        if other is not None:
            mine = {(f.where, f.kind) for f in ours(found)}
            theirs = {(f.where, f.kind) for f in other}
            for name, only in (("sdq", mine - theirs), ("dciodvfy", theirs - mine)):
                for where, kind in sorted(only):
                    sys.stdout.write(f"  only {name}: {where} {kind}\n")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())

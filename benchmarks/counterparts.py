"""What does sdq say of data that generators made, what do the peers say, and who is right?

    python benchmarks/counterparts.py --data DIR [--results FOLDER] [--only MODALITY ...]
        [--sets SET ...] [--sdmetrics PYTHON] [--syntheval PYTHON] [--anonymeter PYTHON]
        [--neurokit PYTHON] [--quick] [--kept] [--markdown PAGE]

DIR holds `ehr`, `signals` and `imaging`: real sets, and beside them what generators made of them
(`counterparts_cases.py` says which). Every set is evaluated whole, by the default profile. Each
peer lives in an environment of its own and answers on the same data; without its interpreter its
columns say "not run". FOLDER keeps each ``result.json`` and each answer of a peer, and what it
holds is not made again: an interrupted run goes on, and ``--kept`` prints what it holds and
evaluates nothing. ``--quick`` takes one small set a modality, without peers. Every figure of sdq
is a function of the data and the seed, 0.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from counterparts_cases import MODALITIES, Case, cases
from counterparts_peers import PEERS, Answers
from counterparts_tables import Row, lines_of
from markdown import printed, replace_measured

from sdq_core.evaluate import evaluate, read_and_describe
from sdq_core.result import Result, load_result
from sdq_core.statistics import single_thread_blas


def evaluated(case: Case, results: Path, answers: Answers) -> Result:
    """Return the result of a case, made now unless it is there; its embedding goes to the peers."""
    out = results / case.key
    kept, known = out / "result.json", (out / "features.json").exists()
    store = results / "store"
    if kept.exists() and (known or answers.off or "features" not in PEERS[case.modality]):
        return load_result(kept)
    with tempfile.TemporaryDirectory() as files, single_thread_blas():
        study = case.study(Path(files))
        if kept.exists():
            result = load_result(kept)
        else:
            result = evaluate(study, out, store=store, engine="serial")
        if not answers.off and "features" in PEERS[case.modality]:
            answers.of_features(case, read_and_describe(study, store, engine="serial").cohorts)
    return result


def rows(
    modality: str, args: argparse.Namespace, answers: Answers, results: Path, missing: list[str]
) -> Iterator[Row]:
    """Evaluate the cases of a modality, and ask the peers; what is not kept is named as missing."""
    for case in cases(args.data, results, modality, args.quick):
        if args.kept and not (results / case.key / "result.json").exists():
            missing.append(f"{case.data}, {case.generator}")
        elif not args.sets or case.data in args.sets:
            result = evaluated(case, results, answers)
            yield Row(case, result, {p: answers.ask(p, case) for p in PEERS[modality]})


def main() -> None:
    """Evaluate, ask, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the three modalities")
    parser.add_argument("--results", type=Path, help="folder to keep; a temporary one by default")
    parser.add_argument("--only", choices=MODALITIES, nargs="+", default=list(MODALITIES))
    parser.add_argument("--sets", nargs="+", help="names of real or generated sets")
    for peer in ("sdmetrics", "syntheval", "anonymeter", "neurokit"):
        parser.add_argument(f"--{peer}", metavar="PYTHON", help=f"interpreter with {peer}")
    parser.add_argument("--quick", action="store_true", help="one small set each, no peers")
    parser.add_argument("--kept", action="store_true", help="evaluate nothing, print what is there")
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    if args.markdown and (args.quick or args.sets or len(args.only) < len(MODALITIES)):
        parser.error("--markdown: needs the whole run")
    missing: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        results = args.results or Path(temporary)
        results.mkdir(parents=True, exist_ok=True)
        answers = Answers(vars(args), results, off=args.quick or args.kept)
        parts = (lines_of(m, rows(m, args, answers, results, missing)) for m in args.only)
        lines = printed(chain.from_iterable(parts))
        lines += printed(["Peers: " + (", ".join(sorted(answers.versions)) or "not run") + "."])
        if missing:
            lines += printed(["", f"Not evaluated in this run: {'; '.join(missing)}."])
    if args.markdown:
        replace_measured(args.markdown, lines)


if __name__ == "__main__":
    main()

"""Reading and describing: a spectrum becomes named band features, a vector and findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sdq_core.description import Description, Item
from sdq_core.errors import UnreadableItem
from sdq_core.hashing import array_digest, hash_files
from sdq_core.listing import relative, walk
from sdq_core.modality import Listing
from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity

# Band -> its place in 1/cm; Movasaghi et al. 2007, doi:10.1080/05704920701551530.
BANDS = {"phenylalanine": 1003.0, "amide_iii": 1300.0, "ch2": 1445.0, "amide_i": 1655.0}
ERROR, WARNING = Severity.ERROR, Severity.WARNING
RULES = RuleBook("raman", {
    "not_a_spectrum": (ERROR, "no spectrum; write wavenumber,counts", "不是光谱, 请写成两列"),
    "cut_off": (ERROR, "ends inside the range; measure it all", "未覆盖评价范围, 请重新测量"),
    "not_finite": (ERROR, "counts are no numbers; replace them", "存在非数值的计数, 请替换"),
    "saturated": (ERROR, "saturated detector; shorten the exposure", "探测器饱和, 请缩短曝光时间"),
    "metadata.excitation": (ERROR, "states no laser; add `# laser_nm:`", "未注明激光波长, 请补充"),
    "link_outside": (WARNING, "link out of the folder, not followed", "链接指向文件夹之外, 未跟随"),
    "link_loop": (WARNING, "link back or to nothing, not followed", "链接成环或失效, 未跟随"),
    "unreadable_folder": (WARNING, "folder not opened; check permissions", "无法打开, 请检查权限"),
})  # fmt: skip


def list_spectra(source: Path) -> Listing:
    """List the spectra of a folder, in the order of their ids."""
    root, files, findings = walk(
        source,
        lambda name: name.endswith(".csv") and name != "labels.csv",
        lambda rule, path: RULES.finding(rule, item=path),
    )
    pairs = zip(files, hash_files(files), strict=True)
    items = (Item(relative(path, root), (path,), digest=digest) for path, digest in pairs)
    return Listing(tuple(sorted(items, key=lambda item: item.id)), tuple(findings))


@dataclass(frozen=True)
class RamanDescriber:
    """Describes spectra one by one: a pure, picklable function of their content."""

    settings: Mapping[str, Any]
    name: str = "raman"
    version: str = "1"

    def __call__(self, item: Item) -> Description:
        """Describe one spectrum; a broken one gives a finding, no error."""
        grid = np.linspace(self.settings["first"], self.settings["last"], 301)
        try:
            header, place, counts = _read(item.paths[0])
            if not (place[0] <= grid[0] and grid[-1] <= place[-1]):
                raise RULES.unreadable("cut_off")
        except UnreadableItem as error:
            return Description(readable=False, findings=(RULES.finding_for(error),))
        finite = np.isfinite(counts)
        peak = counts == counts[finite].max()
        broken = {
            "metadata.excitation": "laser_nm" not in header,
            "not_finite": not finite.all(),
            "saturated": peak.sum() >= 4,
        }
        values = np.interp(grid, place[finite], counts[finite])
        centred = grid - grid.mean()
        baseline = np.polyval(np.polyfit(centred, values, 1), centred)
        unit = (values - baseline) / max(float(np.std(values - baseline)), 1e-12)
        scalars = {"noise": float(np.median(np.abs(np.diff(unit, 2))))}
        for band, centre in BANDS.items():
            near = np.abs(grid - centre) <= 20
            if near.any():  # a feature that does not exist is left out, never NaN
                scalars[f"band.{band}"] = float(unit[near].max())
        return Description(
            scalars=scalars,
            embeddings={"spectrum": unit.reshape(-1, 7).mean(axis=1).astype(np.float32)},
            metadata={**header, "content:sha256": array_digest(values)},
            findings=tuple(RULES.finding(rule) for rule, found in broken.items() if found),
        )


def _read(path: Path) -> tuple[dict[str, str], np.ndarray, np.ndarray]:
    """Return header, wavenumbers in 1/cm, ascending, and counts."""
    header, rows = {}, []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                key, _, value = line[1:].partition(":")
                header[key.strip()] = value.strip()
            elif line.strip():
                rows.append([float(cell) for cell in line.split(",")])
        place, counts = np.array(rows, dtype=np.float64).T
    except (OSError, ValueError):
        raise RULES.unreadable("not_a_spectrum") from None
    if len(place) < 50 or not np.isfinite(place).all() or np.isfinite(counts).sum() < 50:
        raise RULES.unreadable("not_a_spectrum")
    order = np.argsort(place, kind="stable")
    return header, place[order], counts[order]

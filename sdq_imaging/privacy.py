"""Privacy of images: copies are searched for by registration of thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.characteristics.privacy import Privacy
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.dicom.shared_with_real import shared_with_real

if TYPE_CHECKING:
    from sdq_core.cohort import Cohorts
    from sdq_core.finding import Finding

__all__ = ["ImagingPrivacy"]


class ImagingPrivacy(Privacy):
    """Compliance by identifiers, attacks by registered copies."""

    search = REGISTRATION
    search_name = "shift, flip, rotation, scale on band-passed thumbnails"
    signature_name = "band-passed thumbnail"
    disguises = ("flipped, shifted, turned and noised a little", "翻转、平移、旋转与加噪")
    mixed = (
        "the cohorts mix images and volumes, which cannot be matched with each other",
        "数据集中二维图像与三维体数据混杂, 无法相互匹配",
    )
    separate = ("assess each class or body part by itself", "按类别、部位分别评价")

    def shared_with_real(self, cohorts: Cohorts) -> Iterator[Finding]:
        """Find synthetic DICOM objects with a UID or the times of a real one."""
        yield from shared_with_real(cohorts)

"""Privacy of signals: copies are searched for by mean beats, which a shift in time leaves alone."""

from __future__ import annotations

from sdq_core.characteristics.privacy import Privacy
from sdq_signals.copies import ALIGNED_BEATS

__all__ = ["SignalsPrivacy"]


class SignalsPrivacy(Privacy):
    """Compliance by identifiers, attacks by aligned mean beats."""

    search = ALIGNED_BEATS
    search_name = "time shift, gain, offset, resampling, noise on mean beats"
    signature_name = "mean beat in all leads"
    disguises = ("shifted, stretched, amplified and noised a little", "时移、伸缩、增益与加噪")
    mixed = (
        "the cohorts' signatures have several shapes",
        "各数据集的特征签名形状不同",
    )
    separate = ("assess each kind of recording by itself", "按记录类别分别评价")

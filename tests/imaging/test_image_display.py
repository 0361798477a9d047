"""What readers see of images: one canvas, windows of the unit, slices, colour only for all."""

import numpy as np
import pytest
from PIL import Image as Picture

from sdq_core.review.display import fitted, picture
from sdq_imaging.display import HU_HIGH, HU_LOW, ImagingDisplayer
from sdq_imaging.image import Image
from sdq_imaging.reading import list_items

DISPLAYER = ImagingDisplayer(2**28)


def items(tmp_path, *pixels):
    for k, values in enumerate(pixels):
        Picture.fromarray(values).save(tmp_path / f"{k}.png")
    return list_items(tmp_path).items


def test_images_of_all_sizes_fit_one_canvas_in_their_proportions(tmp_path):
    wide, tall = np.full((40, 80), 200, np.uint8), np.full((90, 30), 100, np.uint8)
    found = items(tmp_path, wide, tall)
    facts = [DISPLAYER.facts(i) for i in found]
    assert [f["aspect"] for f in facts] == [0.5, 3.0]
    layout = DISPLAYER.layout(facts)
    assert (layout.width, layout.height, len(layout.presets)) == (512, 512, 4)
    frames = [DISPLAYER.frames(i, layout) for i in found]
    assert all(fitted(f, layout) for f in frames)
    assert (frames[0][0] > 0).any(axis=1).sum() == 256
    assert (frames[1][0] > 0).any(axis=0).sum() == 171
    assert frames[0].max() == round(65535 * 200 / 255)


def test_colour_is_shown_only_where_every_image_has_it(tmp_path):
    colour = np.zeros((30, 30, 3), np.uint8)
    colour[..., 0] = 255
    found = items(tmp_path, colour, colour)
    layout = DISPLAYER.layout([DISPLAYER.facts(i) for i in found])
    assert DISPLAYER.frames(found[0], layout).shape == (1, 512, 512, 3)
    assert len(layout.presets) == 1
    mixed = items(tmp_path, colour, np.zeros((30, 30), np.uint8))
    layout = DISPLAYER.layout([DISPLAYER.facts(i) for i in mixed])
    assert all(DISPLAYER.frames(i, layout).ndim == 3 for i in mixed)


def test_hounsfield_windows_show_what_they_name(monkeypatch):
    volume = np.stack([np.full((20, 20), hu, np.float32) for hu in np.linspace(-1000, 1500, 100)])
    image = Image(volume, "nifti", unit="HU", nominal_range=(HU_LOW, HU_HIGH),
                  spacing=(1.0, 2.0, 1.0))  # fmt: skip
    monkeypatch.setattr(DISPLAYER.__class__, "_open", lambda self, item: image)
    facts = DISPLAYER.facts(None)
    assert (facts["slices"], facts["hounsfield"], facts["aspect"]) == (100, 1, 2.0)
    layout = DISPLAYER.layout([facts])
    frames = DISPLAYER.frames(None, layout)
    assert frames.shape == (64, 512, 512)
    middle = frames[:, 256, 256] / 65535 * (HU_HIGH - HU_LOW) + HU_LOW
    assert middle[[0, -1]] == pytest.approx([-1000, 1500], abs=0.1)
    names = [p.en for p in layout.presets]
    bone = layout.presets[names.index("bone (400/1800)")]
    assert bone.low == pytest.approx((400 - 900 - HU_LOW) / (HU_HIGH - HU_LOW))
    assert all(p.zh for p in layout.presets)
    lung = names.index("lung (-600/1500)")
    shown = [np.frombuffer(picture(f, layout, lung)[-300:-200], np.uint8) for f in frames]
    assert len(shown) == 64
    # Pixels are twice as high as wide: the picture fills the height and half of the width.
    assert (frames[-1] > 0).any(axis=0).sum() == 256


def test_what_cannot_be_read_has_no_facts(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    (item,) = list_items(tmp_path).items
    assert DISPLAYER.facts(item) is None

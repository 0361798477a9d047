"""A realistic result with every kind of detail, every verdict, missing and extreme values."""

import base64
import struct
import zlib

import numpy as np

from sdq_core.result import Result

# A name that tries markup, template syntax, formatting and a turned reading direction at once.
NASTY = "<script>alert('x')</script>{{ 7*7 }}{% raw %}{0}{count}&amp;\u202egnp.\x07\"'"
LONG = "first_order.wavelet_HHL." + "grey_level_size_zone_non_uniformity_normalised_" * 2 + "3D"


def png(size=24, shade=128, height=None):
    """A grey PNG."""
    height = size if height is None else height
    row = b"\x00" + bytes([(shade + x) % 256 for x in range(size)])

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", size, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(row * height, 9))
        + chunk(b"IEND", b"")
    )


def interval(low, high, method="bootstrap of subjects", centre=None, level=0.95):
    return {"low": low, "high": high, "level": level, "method": method, "centre": centre}


def criterion(low=None, high=None, *, mandatory=True, **rule):
    return {
        "mandatory": mandatory,
        "rule": rule or {"within_noise_floor": 2.0, "slack": 0.05, "minimum_n": 50},
        "reason": "Lost modes show here first.",
        "source": "Naeem et al. 2020, arXiv:2002.09797",
        "low": low,
        "high": high,
    }


def measurement(
    name, value=None, *, variant=None, aspect=None, unit="1", ci=None, floor=None, rule=None,
    verdict=None, code="no_criterion", n=None, details=None, source="Sajjadi et al. 2018",
    reason=None, reason_zh=None, **other,
):  # fmt: skip
    return {
        "id": f"imaging.{name}",
        "variant": variant,
        "characteristic": name.split(".")[0],
        "aspect": aspect,
        "value": value,
        "reason": reason,
        "reason_zh": reason_zh,
        "unit": unit,
        "better": "lower",
        "interval": ci,
        "noise_floor": floor,
        "n": {"real": 1178, "synthetic": 1200} if n is None else n,
        "method": {
            "name": "unbiased estimate with an RBF kernel around the median distance",
            "source": source,
            "parameters": {"embedding": {"name": "radiomic", "dimension": 70}, "alpha": 0.05},
            "seed": 20260101,
        },
        "details": details or {},
        "criterion": rule,
        "verdict": verdict,
        "code": code,
        **other,
    }


def histograms(count=14):
    rng = np.random.default_rng(1)
    edges = np.linspace(-3, 3, 25)
    found = []
    for k in range(count):
        real = np.histogram(rng.normal(size=400), edges, density=True)[0]
        synthetic = np.histogram(rng.normal(0.9 - 0.06 * k, 0.8, size=400), edges, density=True)[0]
        found.append(
            {
                "feature": LONG if k == 1 else f"glcm.contrast_{k}",
                "edges": (edges * 10.0 ** (k - 4)).tolist(),
                "real": real.tolist(),
                "synthetic": synthetic.tolist(),
                "distance": 0.9 - 0.06 * k,
                "distance_unit": "real IQR",
                "consistent": k > 5,
            }
        )
    return found


def scatter():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(600, 2)) * [3, 1]
    synthetic = rng.normal(size=(400, 2)) * [2, 0.8] + [1, 0.3]
    synthetic[0] = [400, -90]
    return {
        "x_label": "PC 1",
        "y_label": "PC 2",
        "explained": [0.412, 0.183],
        "real": real.round(3).tolist(),
        "synthetic": synthetic.round(3).tolist(),
    }


def spectrum():
    x = np.linspace(0.02, 0.98, 24)
    real = -30 * x**0.6
    return {
        "x": x.tolist(),
        "x_label": {"en": "radial frequency (1 = Nyquist)", "zh": "径向频率（1 = 奈奎斯特频率）"},
        "y_label": "mean log power [dB]",
        "real": real.tolist(),
        "real_low": (real - 4).tolist(),
        "real_high": (real + 4).tolist(),
        "synthetic": (real - 9 * x**3).tolist(),
        "synthetic_low": (real - 9 * x**3 - 2).tolist(),
        "synthetic_high": (real - 9 * x**3 + 2).tolist(),
    }


def beats(nasty, count=26):
    """Mean beats of many leads, one of which has a name from data."""
    x = np.linspace(-250, 450, 36)
    found = []
    for k in range(count):
        real = (1.2 - 0.1 * k) * np.exp(-((x / 18) ** 2)) + 0.2 * np.exp(-(((x - 260) / 60) ** 2))
        synthetic = 0.8 * real + 0.02
        lines = {
            "real": real, "real_low": real - 0.15, "real_high": real + 0.2,
            "synthetic": synthetic, "synthetic_low": synthetic - 0.1,
            "synthetic_high": synthetic + 0.1,
        }  # fmt: skip
        if k == 2:
            lines = {"synthetic": synthetic}
        elif k == 3:
            lines = {"synthetic": 0 * x, "real": 0 * x}
        title = {1: nasty, 4: {"en": "average of leads", "zh": "各导联平均"}}.get(k, f"V{k + 1}")
        drawn = {name: line.round(4).tolist() for name, line in lines.items()}
        found.append({"title": title, "x": x.tolist(), **drawn})
    return {
        "panels": found,
        "x_label": "time from the R peak [ms]",
        "y_label": "mean beat [mV]",
        "bands": "Grey: the middle 90 % of real items; thin lines: of synthetic items.",
    }


def sample(*, nasty=NASTY):
    """The result as plain data; `nasty` stands for every name that comes from data."""
    p, f, i, na = "pass", "fail", "inconclusive", "not_assessed"
    inside, outside, straddles = "interval_inside", "interval_outside", "interval_straddles"
    marginal, joint = "marginal_consistency", "joint_consistency"
    measurements = [
        measurement("fidelity.marginal_share_consistent", 0.6234, aspect=marginal, unit="share",
                    ci=interval(0.571, 0.688), floor=interval(0.93, 1.0, "half-sampling", 0.985),
                    rule=criterion(0.83), verdict=f, code=outside,
                    details={"histograms": histograms(), "share_ks_rejected_holm": 0.31}),
        measurement("fidelity.mmd", 0.00212, variant="radiomic", aspect=joint,
                    ci=interval(-0.0104, 0.0187), floor=interval(-0.0058, 0.0117, "splits", 0.0),
                    rule=criterion(high=0.0379), verdict=p, code=inside,
                    source="Gretton et al. 2012, JMLR 13:723",
                    details={"map": scatter(), "p": 0.41, "p_holm": 0.82}),
        # Far outside: the floor's own scale would be lost if the value were on the axis.
        measurement("fidelity.mmd", 1234567.8, variant="random-resnet18", aspect=joint,
                    ci=interval(1000000.0, 1500000.0), floor=interval(-0.0058, 0.0117, "splits"),
                    rule=criterion(high=0.0379), verdict=f, code=outside),
        measurement("fidelity.kernel_distance", -98765.4, variant="radiomic", aspect=joint,
                    ci=interval(-120000.0, 0.002), floor=interval(-0.005, 0.01, "splits", 0.0),
                    rule=criterion(-0.02, 0.02, mandatory=False), verdict=i, code=straddles,
                    needed_factor=312.4),
        measurement("fidelity.frechet_distance", 1.23e-05, variant="radiomic", aspect=joint,
                    ci=interval(-2.2e-06, 3.1e-05), floor=interval(2.0e-06, 9.0e-06, "splits")),
        measurement("fidelity.coverage", 0.71, aspect=joint, unit="share",
                    ci=interval(0.64, 0.76), floor=interval(0.9, 0.97, "splits", 0.94),
                    rule=criterion(0.75), verdict=i, code=straddles, needed_factor=3.42),
        measurement("fidelity.spectrum_distance", 4.31, aspect=joint, unit="dB",
                    ci=interval(3.9, 4.8), floor=interval(0.14, 0.79, "splits", 0.4),
                    rule=criterion(high=1.75), verdict=f, code=outside,
                    details={"curve": spectrum()}),
        measurement("fidelity.beat_distance", 0.21, aspect=joint, unit="mV",
                    details={"curves": beats(nasty)}),
        measurement("fidelity.ms_ssim_diversity", 0.151),
        measurement("fidelity.ssim_paired", reason="no pairs are declared: give the column 'pair'",
                    reason_zh="未声明配对: 请给出 pair 列", code="no_criterion", n={}),
        measurement("balance.items", 1200.0, unit="items", n={"synthetic": 1200},
                    rule=criterion(1000.0, declared_target="at_least", at_least=50.0),
                    verdict=p, code=inside, target=1000.0),
        measurement("balance.class_gini", 0.23, aspect="gini_coefficient",
                    floor=interval(0.0, 0.31, "multinomial draws"), rule=criterion(high=0.5),
                    verdict=p, code=inside, n={"synthetic": 1200},
                    details={"bars": [
                        {"label": nasty, "synthetic": 0.62, "real": 0.55, "intended": 0.5},
                        {"label": "pneumonia", "synthetic": 0.38, "real": 0.41, "intended": 0.4},
                        {"label": "absent class with a rather long name (unspecified, other)",
                         "synthetic": 0.0, "real": 0.04, "intended": 0.1}]}),
        measurement("balance.attribute_entropy", 1.0, variant=nasty,
                    details={"bars": [{"label": "F", "synthetic": 0.0}, {"label": "M",
                                       "synthetic": 0.0}]}),
        measurement("balance.volume_adequacy", 0.012, unit="AUC", ci=interval(0.0, 0.044),
                    details={"curve": {"x": [100, 200, 400, 800],
                                       "x_label": "synthetic training items",
                                       "y_label": "AUC on real items",
                                       "synthetic": [0.6, 0.66, 0.7, 0.71],
                                       "real": [0.8] * 4}, "reaches_target": False}),
        measurement("completeness.readable_share", 1.0, aspect="structural_integrity",
                    unit="share", ci=interval(0.9969, 1.0, "Clopper-Pearson"),
                    floor=interval(0.9978, 1.0, "Clopper-Pearson"),
                    rule=criterion(0.95, relative_to_real=True, at_least=0.95), verdict=p,
                    code=inside),
        measurement("completeness.semantics_share", 0.98, aspect="semantic_accuracy",
                    unit="share", ci=interval(0.97, 0.99, "Clopper-Pearson", level=0.9),
                    rule=criterion(0.95), verdict=p, code=inside),
        measurement("metadata.required_attribute_share", aspect="required_attributes",
                    unit="share", rule=criterion(0.95), verdict=na, code="no_value", n={},
                    reason="needs DICOM files", reason_zh="需要 DICOM 文件"),
        measurement("metadata.not_made", rule=criterion(0.95), verdict=na, code="not_produced",
                    reason="the modality did not produce this measure", n={},
                    reason_zh="该模态未产生此项测量"),
        measurement("privacy.memorised_share", 0.0125, aspect="attack_simulation", unit="share",
                    ci=interval(0.006, 0.022, "Clopper-Pearson"), rule=criterion(high=0.005),
                    verdict=f, code=outside, n={"synthetic": 1200, "train": 900, "holdout": 278},
                    details={"suspects": [
                        {"synthetic": nasty, "real": f"patient/{nasty}", "score": 0.9987,
                         "transform": "flip, shift (3, -2)"},
                        {"synthetic": "s/0002.png", "real": "r/0017.png", "score": 0.9312,
                         "transform": ""}],
                        "p": 0.0002, "flagged": 15}),
        measurement("privacy.membership_auc", 0.53, aspect="attack_simulation", unit="AUC",
                    ci=interval(0.48, 0.58), rule=criterion(0.4, 0.6), verdict=p, code=inside,
                    details={"roc": {"fpr": [0, 0.1, 0.3, 0.6, 1], "tpr": [0, 0.16, 0.35, 0.62, 1]},
                             "notes": [{"en": "Candidates only.", "zh": "仅为候选。"}]}),
        measurement("privacy.exact_copy_share", 0.0, unit="share", rule=criterion(high=0.01),
                    ci=interval(0.0, 0.003), verdict=i, code="too_few_items"),
        measurement("explainability.subgroup_fidelity_gap", 0.005, aspect="bias_explained",
                    ci=interval(0.0005, 0.06),
                    details={"table": {"columns": ["class", "MMD^2", "n", "holds"],
                                       "rows": [[nasty, 0.0123, 1200, True],
                                                ["b", -0.00002, None, False]]}}),
        measurement("explainability.bias_sources", 6.0, unit="features", aspect="bias_explained",
                    details={"ranking": [
                        {"feature": LONG, "value": 4.2, "low": 3.1, "high": 5.6,
                         "direction": "higher"},
                        {"feature": nasty, "value": 1.7, "direction": "lower"},
                        {"feature": "skew", "value": -0.9, "direction": "lower"}],
                        "ranking_unit": "distance over margin (1 = as far as real from real)"}),
        measurement("explainability.broken", 1.0, details={"roc": {"fpr": [0.0, 1.0], "tpr": [7]}}),
        measurement("utility.tstr_auc", 0.74, unit="AUC", ci=interval(0.7, 0.78),
                    rule=criterion(0.72), verdict=na, code="no_noise_floor"),
    ]  # fmt: skip
    texts = {
        m["id"]: {
            "title": m["id"].split(".")[2].replace("_", " ").capitalize(),
            "title_zh": {"mmd": "最大均值差异 (MMD)"}.get(m["id"].split(".")[2], "测量项"),
            "says": "Share of real items that have a synthetic item in their neighbourhood.",
            "says_zh": "邻域内存在合成样本的真实样本比例; 最能反映模式缺失。",
        }
        for m in measurements
        if m["id"] != "imaging.utility.tstr_auc"
    }
    cohort = {"items": 900, "readable": 897, "subjects": 512, "digest": "ab" * 32}
    return {
        "schema": "sdq.result/1",
        "study": {
            "name": "Chest radiographs, generator 4",
            "description": f"Study of {nasty}",
            "seed": 7,
            "purpose": {"description": "train a detector", "minimum_items": 1000,
                        "target_auc": None, "intended_distribution": {nasty: 0.5, "b": 0.5}},
            "generator": {
                "algorithm": {"name": "latent diffusion", "version": "4.1",
                              "parameters": {"steps": 50, "note": nasty}},
                "known_limits": {"en": nasty, "zh": nasty},
            },
        },
        "profile": {"name": "imaging-default", "version": "1"},
        "modality": {"name": "imaging", "describer": {"device": "cpu"}, "describer_version": "1"},
        "cohorts": {
            "train": {**cohort, "classes": {nasty: 500, "pneumonia": 397}},
            "holdout": {**cohort, "subjects": None, "classes": None},
            "synthetic": {**cohort, "items": 123456, "readable": 120001,
                          "classes": {f"class {k:02d}": 10 + k for k in range(40)}},
        },
        "measurements": measurements,
        "verdicts": {"fidelity": f, "balance": p, "completeness": p, "metadata": na,
                     "privacy": f, "explainability": na, "utility": na},
        "findings": {
            "total": 12345,
            "by_rule": [
                {"rule": "imaging.structure.truncated", "severity": "error", "role": "synthetic",
                 "items": 3, "findings": 3, "message": "the file ends early; transfer it again",
                 "message_zh": "文件提前结束, 请重新传输"},
                {"rule": "imaging.privacy.near_copy", "severity": "warning", "role": "synthetic",
                 "items": 12, "findings": 12342, "message": f"lies near {nasty}; compare them",
                 "message_zh": f"与 {nasty} 异常接近, 请人工比对"},
            ],
        },
        "measures": texts,
        "gallery": [
            {"item": "far/0001.png", "role": "synthetic", "file": "gallery/01.png",
             "why": "least like any real item", "why_zh": "与真实样本差异最大"},
            {"item": f"x/{nasty}.png", "role": "synthetic", "file": "gallery/02.png",
             "why": "has a finding", "why_zh": "有发现项"},
        ],
        "limits": [{"en": "There is no holdout.", "zh": "没有留出集。"}],
        "exit_code": 1,
        "environment": {
            "timestamp": "2026-11-24T15:05:48+00:00", "python": "3.11.7", "system": "Linux x86_64",
            "packages": {"sdq": "0.1.0", "numpy": "2.4.6", "torch": None},
            "timings": {"describe_s": 19.981, "compare_s": 11.324},
            "store": {"described": 1200, "reused": 1178, "discarded": []},
        },
    }  # fmt: skip


REAL_IMAGES = [
    {"item": "s/0002.png", "role": "synthetic", "file": "gallery/03.png",
     "why": "possible copy", "why_zh": "疑似拷贝"},
    {"item": "r/0017.png", "role": "train", "file": "gallery/04.png",
     "why": "what it resembles", "why_zh": "与之相似的真实样本"},
]  # fmt: skip


def sample_result(folder, *, real=False, **changes):
    """The sample as a Result, with its pictures written into `folder`."""
    data = {**sample(), **changes}
    if real:
        data["gallery"] = [*data["gallery"], *REAL_IMAGES]
    (folder / "gallery").mkdir(exist_ok=True)
    for k in range(1, 5):
        (folder / f"gallery/{k:02d}.png").write_bytes(png(96, shade=40 * k))
    return Result.model_validate(data)


def encoded(folder, k):
    """A picture as it stands in the report."""
    return base64.b64encode((folder / f"gallery/{k:02d}.png").read_bytes()).decode()

"""Nothing of a real item comes out: planted texts, identifiers and pictures are searched for."""

import base64
import csv
import io
import zipfile

import numpy as np
from leaks import leaks
from PIL import Image

from sdq_core.audit.bundle import seal
from sdq_core.audit.keys import new_key, read_private_key
from sdq_core.commands.document import Languages, document
from sdq_core.documents.report import write_report
from sdq_core.evaluate import evaluate
from sdq_core.study import Study

SIDE = 40
N = 20
TABLE_N = 40
HEADER = (
    "CANARYNAME",
    "CANARYID77",
    "CANARYADDRESS",
    "CANARYSTUDY",
    "CANARYPRIVATE",
    "CANARYCOMMENT",
)
CELLS = ("canarysubject", "canaryward", "canaryfullname")


def cross(seed=0):
    """The unmistakable pictures: bars at an angle, in stark black and white."""
    y, x = np.mgrid[:SIDE, :SIDE]
    bars = ((x + (2 * y if seed else y)) // 5) % 2
    return np.where((x - 20) ** 2 + (y - 20) ** 2 < 150, 255 * (1 - bars), 255 * bars).astype(
        np.uint8
    )


def blobs(n, seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    images = []
    for _ in range(n):
        cx, cy, size = rng.uniform((0.2, 0.2, 0.1), (0.8, 0.8, 0.3)).tolist()
        grey = 0.3 + 0.5 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / size**2)
        images.append(
            np.clip(255 * (grey + 0.03 * rng.normal(size=x.shape)), 0, 255).astype(np.uint8)
        )
    return images


def write_dicom(path, pixels, number, planted):
    """A small secondary capture; of a real item with a planted text in every kind of attribute."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    uid = generate_uid(entropy_srcs=[path.parent.name, str(number)])
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{uid}.1"[:64], f"{uid}.2"[:64]
    data.Modality, data.ConversionType = "OT", "WSD"
    data.PatientName, data.PatientID = f"Made^{number}", f"m{number}"
    data.PatientBirthDate = data.StudyDate = data.StudyTime = data.AccessionNumber = ""
    data.ReferringPhysicianName = data.StudyID = data.PatientSex = data.Laterality = ""
    data.SeriesNumber = data.InstanceNumber = number + 1
    if planted:
        data.PatientName, data.PatientID = f"CANARYNAME^{number}", f"CANARYID77{number}"
        data.PatientAddress, data.StudyDescription = "CANARYADDRESS 1", "CANARYSTUDY"
        data.PatientBirthDate = "19410203"
        data.ImageComments = "call CANARYCOMMENT"
        data.private_block(0x11, "CANARYPRIVATE", create=True).add_new(1, "LO", "CANARYPRIVATE")
    else:
        data.SyntheticData = "YES"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.PixelData = 7, 0, pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


def write_cohort(folder, images, *, planted):
    folder.mkdir()
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("item", "subject", "class", "ward", "fullname"))
    for k, pixels in enumerate(images):
        write_dicom(folder / f"{k:03d}.dcm", pixels, k, planted)
        ward = "canaryward" if planted and k == 3 else ("north", "south")[k % 2]
        subject, name = (
            (f"canarysubject{k}", f"canaryfullname {k}") if planted else (f"s{k}", f"n{k}")
        )
        writer.writerow((f"{k:03d}.dcm", f"{folder.name}{subject}", "ab"[k % 2], ward, name))
    (folder / "labels.csv").write_text(table.getvalue())


def write_tables(folder, seed, *, planted):
    """Patients and their laboratory values; every eighth real one has values of its own."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    with (folder / "patients.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("patient_id", "name", "sex", "age", "ward", "code", "note", "weight"))
        for k in range(TABLE_N):
            own = planted and k % 8 == 4
            writer.writerow((
                f"CANARYKEY{seed}{k}" if planted else f"s{k}",
                f"CANARYNAME {k}" if planted else f"N {k}",
                rng.choice(["F", "M"]),
                rng.integers(20, 90),
                f"CANARYWARD{seed}{k}" if own else rng.choice(["north", "south"]),
                f"CANARYCODE{seed}{k}" if own else rng.choice(["I10", "E11", "J18"]),
                f"CANARYNOTE seen on day {k}" if planted else "fine",
                777123.25 if own else round(float(rng.normal(70, 10)), 1),
            ))  # fmt: skip
    with (folder / "visits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("patient_id", "day", "test", "value"))
        for k in range(TABLE_N):
            for visit in range(2):
                own = planted and visit and k % 8 == 4
                writer.writerow((
                    f"CANARYKEY{seed}{k}" if planted else f"s{k}",
                    f"2024-0{1 + visit}-{1 + k % 27:02d}",
                    f"CANARYTEST{seed}{k}" if own else rng.choice(["718-7", "2345-7"]),
                    round(float(rng.normal(10, 2)), 2),
                ))  # fmt: skip


def outputs(folder, study, *, formats):
    """Everything that an evaluation, its documents and its bundle write, by name."""
    out = folder / "out"
    result = evaluate(study, out, store=folder / "store", engine="serial")
    for language in ("en", "zh"):
        name = "report.html" if language == "en" else "report.zh.html"
        write_report(result, out, out / name, language=language)
    document(out, language=Languages.en, formats=formats)
    new_key(folder / "key.pem")
    seal(out, read_private_key(folder / "key.pem"))
    return result, {
        str(path.relative_to(folder)): path.read_bytes()
        for place in (out, folder / "store")
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def test_no_output_holds_anything_of_a_real_image(tmp_path):
    train, holdout, made = blobs(N, 1), blobs(N, 2), blobs(N, 3)
    train[5], holdout[6] = cross(0), cross(1)
    # The generator gave the pictures of two real patients away: as they are, and turned.
    made[7], made[8] = cross(0), np.rot90(cross(1)).copy()
    for name, images in (("train", train), ("holdout", holdout), ("synthetic", made)):
        write_cohort(tmp_path / name, images, planted=name != "synthetic")
    (tmp_path / "train" / "999.dcm").write_bytes(b"CANARYNAME broken file CANARYID77")
    sources = {
        name: {"path": tmp_path / name, "labels": tmp_path / name / "labels.csv"}
        for name in ("train", "holdout", "synthetic")
    }
    # Without the network: loading torch takes longer than all the rest, and sees the same pixels.
    study = Study(modality="imaging", cohorts=sources, classes=("a", "b"), subgroup="ward",
                  settings={"embeddings": ["radiomic"]})  # fmt: skip
    result, files = outputs(tmp_path, study, formats="html,docx,pdf")
    assert {"out/result.json", "out/findings.parquet", "out/evidence.zip", "out/report.zh.html",
            "out/validation-report.en.docx", "out/validation-report.en.pdf",
            "out/gallery/01.png"} <= files.keys()  # fmt: skip
    # What was planted was read: the real items are described, and the copies were noticed.
    assert result.cohorts["train"].readable == N
    assert any(r.rule.startswith("imaging.privacy") for r in result.findings.by_rule)
    # A few common values are named, so that those that are not could have been.
    assert result.cohorts["train"].attributes["ward"]["north"] > 3
    planted = (*HEADER, *CELLS, str(tmp_path))
    assert leaks(files.items(), planted, [cross(0), cross(1)]) == []


def test_no_output_holds_a_cell_of_a_real_record(tmp_path):
    for seed, name in enumerate(("train", "holdout", "synthetic")):
        write_tables(tmp_path / name, seed, planted=name != "synthetic")
    sources = {name: {"path": tmp_path / name} for name in ("train", "holdout", "synthetic")}
    result, files = outputs(tmp_path, Study(modality="ehr", cohorts=sources), formats="html")
    assert result.cohorts["train"].readable == TABLE_N
    assert b"patients.ward = north" in files["out/result.json"]
    planted = ("CANARYKEY", "CANARYNAME", "CANARYWARD", "CANARYCODE", "CANARYNOTE", "CANARYTEST",
               "777123.25", str(tmp_path))  # fmt: skip
    assert leaks(files.items(), planted, []) == []


def test_the_search_finds_what_is_planted():
    """The test above would be worth nothing if this search were blind."""
    picture = cross(0)
    sink = io.BytesIO()
    Image.fromarray(np.rot90(picture)).resize((90, 90)).save(sink, "PNG")
    png = sink.getvalue()
    page = b"<img src='data:image/png;base64," + base64.b64encode(png) + b"'>"
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.html", page)
        archive.writestr("a.csv", "x,CANARYID77")
    blank = io.BytesIO()
    Image.fromarray(blobs(1, 4)[0]).save(blank, "PNG")
    found = leaks(
        [
            ("b.zip", bundle.getvalue()),
            ("u16", "canaryid77".encode("utf-16-le")),
            ("b64", base64.b64encode(b"ab CANARYID77 cd")),
            ("clean.png", blank.getvalue()),
        ],
        ("CANARYID77",),
        [picture],
    )
    assert found == [
        ("b.zip!report.html!picture0", "picture 0"),
        ("b.zip!a.csv", "CANARYID77"),
        ("u16", "CANARYID77"),
        ("b64", "CANARYID77"),
    ]

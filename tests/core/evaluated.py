"""A folder as `sdq evaluate` and `sdq document` leave it, made without either, in milliseconds."""

import hashlib
import zipfile
import zlib

from sample_result import sample, sample_result

from sdq_core.finding import Finding
from sdq_core.findings_file import write_findings
from sdq_core.manifest import cohort_digest
from sdq_core.result import save_result
from sdq_core.vocabulary import Severity

DOCUMENTS = ("synthesis-description", "validation-report", "quality-assessment-report")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def evaluated(folder, *, documents=True, **changes):
    """Write result, findings, manifests, pictures, report and documents into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    items = {
        role: {f"{role}/{k}.png": digest(f"{role} {k}") for k in range(3)}
        for role in ("train", "holdout", "synthetic")
    }
    cohorts = {
        role: {**cohort, "digest": cohort_digest(items[role].values())}
        for role, cohort in sample()["cohorts"].items()
    }
    result = sample_result(folder, **{"cohorts": cohorts, **changes})
    save_result(result, folder / "result.json")
    write_findings([Finding("r", Severity.ERROR, "m", "中", item="synthetic/1.png")], folder)
    rows = [(role, item, sha) for role, found in items.items() for item, sha in found.items()]
    (folder / "items.csv").write_text(
        "\ufeffrole,item,sha256\r\n" + "".join(f"{','.join(row)}\r\n" for row in rows)
    )
    (folder / "files.csv").write_text(
        "\ufeffrole,path,bytes,sha256\r\n"
        + "".join(f"{role},{item.partition('/')[2]},9,{sha}\r\n" for role, item, sha in rows)
    )
    (folder / "report.html").write_text("<!doctype html><p>report</p>")
    if documents:
        write_documents(folder)
    return result


def write_documents(folder):
    """Stand-ins for the three documents, which name the result that they were made from."""
    content = (folder / "result.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    for name in DOCUMENTS:
        for language in ("zh", "en"):
            page = f"<p>{name} {language} {digest}</p>"
            (folder / f"{name}.{language}.html").write_text(page)
            pdf = b"%PDF-1.7 stream\n" + zlib.compress(content) + b"\nendstream"
            (folder / f"{name}.{language}.pdf").write_bytes(pdf)
    with zipfile.ZipFile(folder / "validation-report.zh.docx", "w") as document:
        document.writestr("docProps/core.xml", digest)

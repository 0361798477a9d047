"""The evidence bundle: sealed once, and every later difference is found and named."""

import base64
import hashlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from evaluated import evaluated
from typer.testing import CliRunner

from sdq_core.audit import archive as archive_module
from sdq_core.audit.archive import Archive, packed
from sdq_core.audit.bundle import SEAL, seal
from sdq_core.audit.envelope import Envelope, pae, read_envelope, sign
from sdq_core.audit.keys import key_id, new_key, read_private_key, read_public_key
from sdq_core.audit.statement import PAYLOAD_TYPE, read_statement
from sdq_core.audit.verification import verify
from sdq_core.cli import app
from sdq_core.errors import BundleError, SdqError


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("lab", "other"):
        new_key(folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def private(keys):
    return read_private_key(keys / "lab.pem")


@pytest.fixture(scope="module")
def public(keys):
    return read_public_key(keys / "lab.pem.pub")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    evaluated(folder)
    return folder


@pytest.fixture(scope="module")
def members(out, private, tmp_path_factory):
    """The files of a sealed bundle by name."""
    bundle = seal(out, private, tmp_path_factory.mktemp("bundle") / "b.zip").path
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(folder, files, name="b.zip"):
    path = folder / name
    path.write_bytes(packed(files))
    return path


def found(folder, files, key):
    """What `verify` says of some files, as (what, file)."""
    return [(p.what, p.file) for p in verify(write(folder, files), key).problems]


def invoke(*arguments):
    """Exit code and output of a command, as `sdq_core.cli.main` would give them."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, SdqError):
        return 2, str(result.exception)
    return result.exit_code, result.output


# Keys


def test_a_private_key_is_its_owners_alone_and_nothing_is_overwritten(tmp_path):
    before = os.umask(0)
    try:
        shown, identifier = new_key(tmp_path / "deep" / "lab.pem")
    finally:
        os.umask(before)
    secret = tmp_path / "deep" / "lab.pem"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert shown.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    assert identifier == key_id(read_private_key(secret).public_key())
    kept = secret.read_bytes()
    with pytest.raises(BundleError, match="exists already"):
        new_key(secret)
    assert secret.read_bytes() == kept
    # Where only the private name is taken, no public key of nobody is left behind.
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(BundleError, match="exists already"):
        new_key(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    assert not (tmp_path / "taken.pub").exists()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="exists already"):
        new_key(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_unusable_keys_say_what_they_are(tmp_path, keys):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    def written(name, data, mode=0o600):
        path = tmp_path / name
        path.write_bytes(data)
        path.chmod(mode)
        return path

    def pem(key, protection):
        return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, protection)

    ed25519, other = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    wide = written("wide", pem(ed25519, s.NoEncryption()), 0o640)
    with pytest.raises(BundleError, match="others than its owner"):
        read_private_key(wide)
    for name, data, message in (
        ("locked", pem(ed25519, s.BestAvailableEncryption(b"x")), "password"),
        ("kind", pem(other, s.NoEncryption()), "another kind"),
        ("noise", b"no key", "no private key"),
        ("public", (keys / "lab.pem.pub").read_bytes(), "is a public key"),
        ("long", b"x" * 70_000, "too long"),
    ):
        with pytest.raises(BundleError, match=message):
            read_private_key(written(name, data))
    for name, data, message in (
        ("secret", pem(ed25519, s.NoEncryption()), "never leaves"),
        ("nothing", b"", "no public key"),
        (
            "kind.pub",
            other.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo),
            "another kind",
        ),
    ):
        with pytest.raises(BundleError, match=message):
            read_public_key(written(name, data))
    with pytest.raises(BundleError, match="cannot be read"):
        read_public_key(tmp_path / "absent")


# Envelope and statement


def test_the_envelope_follows_dsse(private):
    from securesystemslib.dsse import Envelope as Reference

    # The example of the specification, protocol.md, "Test Vectors".
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    # Lengths are of bytes, not of characters.
    assert pae("é", b"\x00\n") == b"DSSEv1 2 \xc3\xa9 2 \x00\n"
    made = sign(PAYLOAD_TYPE, b'{"a": 1}', private)
    reference = Reference.from_dict(json.loads(made.to_json()))
    assert reference.payload == made.payload
    assert reference.pae() == pae(PAYLOAD_TYPE, b'{"a": 1}')
    (signature,) = reference.signatures.values()
    private.public_key().verify(bytes.fromhex(signature.signature), reference.pae())


def test_both_base64_alphabets_are_read(private):
    made = sign(PAYLOAD_TYPE, b"\xff\xfe\xfd>>>???", private)
    data = json.loads(made.to_json())
    assert "/" in data["payload"]
    data["payload"] = data["payload"].replace("+", "-").replace("/", "_")
    assert read_envelope(json.dumps(data).encode()).payload == made.payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload": "!", "payloadType": "t", "signatures": [{"sig": ""}]}',
        b'{"payload": "", "payloadType": 1, "signatures": [{"sig": ""}]}',
        b'{"payload": "", "payloadType": "t", "signatures": []}',
        b'{"payload": "", "payloadType": "t", "signatures": [1]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_an_error(data):
    with pytest.raises(BundleError):
        read_envelope(data)


def test_the_statement_is_one_of_in_toto(members, private):
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement as Reference

    payload = read_envelope(members[SEAL]).payload
    proto = json_format.Parse(payload, statement_pb2.Statement())
    reference = Reference.copy_from_pb(proto)
    reference.validate()
    named = {s.name: s.digest["sha256"] for s in reference.pb.subject}
    assert named.keys() == members.keys() - {SEAL}
    statement = read_statement(PAYLOAD_TYPE, payload)
    assert statement.files == named
    assert statement.predicate.cohorts["train"].items == 900
    for change in ({"_type": "x"}, {"predicateType": "urn:x-sdq:evidence:2"}):
        newer = json.dumps({**json.loads(payload), **change}).encode()
        with pytest.raises(BundleError, match="seal"):
            read_statement(PAYLOAD_TYPE, newer)


# Sealing


def test_the_same_files_and_key_give_the_same_bytes(out, private, tmp_path):
    first = seal(out, private, tmp_path / "1.zip")
    for path in out.rglob("*"):
        os.utime(path)
    second = seal(out, private, tmp_path / "2.zip")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert len(first.key_id) == 64
    with zipfile.ZipFile(first.path) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert {"result.json", "gallery/01.png", "study.yaml", "generator.yaml", "environment.lock",
            "validation-report.zh.pdf", "README.txt", SEAL} <= set(names)  # fmt: skip
    assert "quality-assessment-report.en.docx" in first.missing


def test_a_bundle_holds_no_picture_of_a_real_item(private, tmp_path):
    evaluated(tmp_path, documents=False)
    evaluated(tmp_path, documents=False, gallery=real_gallery())
    assert not any(n.startswith("gallery") for n in seal(tmp_path, private).names)
    picture = base64.b64encode((tmp_path / "gallery/04.png").read_bytes())
    (tmp_path / "report.html").write_bytes(b"<img src='data:image/png;base64," + picture + b"'>")
    with pytest.raises(BundleError, match="shows real items"):
        seal(tmp_path, private)
    (tmp_path / "report.html").unlink()
    with zipfile.ZipFile(tmp_path / "validation-report.en.docx", "w") as document:
        document.writestr("word/media/1.png", (tmp_path / "gallery/04.png").read_bytes())
        digest = hashlib.sha256((tmp_path / "result.json").read_bytes()).hexdigest()
        document.writestr("docProps/core.xml", digest)
    with pytest.raises(BundleError, match="shows real items"):
        seal(tmp_path, private)


def real_gallery():
    from sample_result import REAL_IMAGES, sample

    return [*sample()["gallery"], *REAL_IMAGES]


def test_what_does_not_belong_together_is_not_sealed(private, tmp_path):
    evaluated(tmp_path)
    items = tmp_path / "items.csv"
    items.write_text(items.read_text().replace("train/1.png,", "train/1.png,0"))
    with pytest.raises(BundleError, match="two evaluations"):
        seal(tmp_path, private)
    items.unlink()
    with pytest.raises(BundleError, match=r"items\.csv is missing"):
        seal(tmp_path, private)
    assert not (tmp_path / "evidence.zip").exists()
    gallery = [{"item": "a", "role": "synthetic", "file": "../secret", "why": "", "why_zh": ""}]
    (tmp_path / "secret").write_text("s")
    evaluated(tmp_path / "inner", gallery=gallery)
    with pytest.raises(BundleError, match="lies outside"):
        seal(tmp_path / "inner", private)


def test_a_document_of_another_result_is_not_sealed(private, tmp_path):
    for suffix in ("html", "docx", "pdf"):
        folder = tmp_path / suffix
        evaluated(folder)
        old = (folder / f"validation-report.zh.{suffix}").read_bytes()
        evaluated(folder, exit_code=3)
        assert seal(folder, private).missing
        (folder / f"validation-report.zh.{suffix}").write_bytes(old)
        with pytest.raises(BundleError, match=rf"zh\.{suffix} was not made from this result"):
            seal(folder, private)


def test_a_report_older_than_the_result_is_said(out, private, tmp_path):
    assert not seal(out, private, tmp_path / "b.zip").old_report
    os.utime(out / "report.html", (0, 0))
    assert seal(out, private, tmp_path / "b.zip").old_report
    os.utime(out / "report.html")


# Verifying


def test_an_untouched_bundle_verifies_in_any_container(members, public, tmp_path):
    assert verify(write(tmp_path, members), public).verified
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gallery/", b"")
        for name in sorted(members, reverse=True):
            archive.writestr(name, members[name])
    report = verify(again, public)
    assert report.verified
    assert report.files == len(members) - 1
    assert {row.role for row in report.data} == {"train", "holdout", "synthetic"}


def test_every_changed_removed_and_added_file_is_named(members, public, tmp_path):
    for name, data in members.items():
        for place in (0, len(data) // 2, len(data) - 1):
            flipped = bytearray(data)
            flipped[place] ^= 1
            what = found(tmp_path, {**members, name: bytes(flipped)}, public)
            assert [file for _, file in what] == [name]
            assert what[0][0] in (("signature", "changed") if name == SEAL else ("changed",))
        rest = {n: d for n, d in members.items() if n != name}
        assert found(tmp_path, rest, public) == [("removed", name)]
    more = {**members, "gallery/99.png": b"\x89PNG"}
    assert found(tmp_path, more, public) == [("added", "gallery/99.png")]


def test_a_flipped_bit_anywhere_in_the_zip_never_passes_or_crashes(members, public, tmp_path):
    whole = packed(members)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        starts = {i.filename: i.header_offset + 30 + len(i.filename) for i in archive.infolist()}
    path = tmp_path / "b.zip"
    for name, start in starts.items():
        data = bytearray(whole)
        data[start + len(members[name]) // 2] ^= 0x10
        path.write_bytes(data)
        assert name in [p.file for p in verify(path, public).problems]
    for place in range(0, len(whole), len(whole) // 150):
        data = bytearray(whole)
        data[place] ^= 0x01
        path.write_bytes(data)
        try:
            report = verify(path, public)
        except BundleError:
            continue
        # Times, modes and versions in the container are none of the seal's business.
        if report.verified:
            with zipfile.ZipFile(path) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == members


def test_a_forged_seal_is_found(members, keys, public, tmp_path):
    other = read_private_key(keys / "other.pem")
    payload = read_envelope(members[SEAL]).payload
    resigned = sign(PAYLOAD_TYPE, payload, other)
    assert found(tmp_path, {**members, SEAL: resigned.to_json()}, public) == [("signature", SEAL)]
    # The key id is a hint that anybody can write; the signature decides.
    claims = Envelope(PAYLOAD_TYPE, payload, ((key_id(public), resigned.signatures[0][1]),))
    (problem,) = verify(write(tmp_path, {**members, SEAL: claims.to_json()}), public).problems
    assert (problem.what, "names your key" in problem.message) == ("signature", True)
    # Swapped files with a list that fits them, signed anew by somebody else.
    statement = json.loads(payload)
    changed = {**members, "result.json": members["result.json"].replace(b"0.6234", b"0.9999")}
    assert changed != members
    for subject in statement["subject"]:
        if subject["name"] == "result.json":
            subject["digest"]["sha256"] = hashlib.sha256(changed["result.json"]).hexdigest()
    forged = sign(PAYLOAD_TYPE, json.dumps(statement).encode(), other)
    assert found(tmp_path, {**changed, SEAL: forged.to_json()}, public) == [("signature", SEAL)]
    # A second signature by another key takes nothing away from the first.
    both = Envelope(
        PAYLOAD_TYPE, payload, (*resigned.signatures, *read_envelope(members[SEAL]).signatures)
    )
    assert found(tmp_path, {**members, SEAL: both.to_json()}, public) == []


def test_a_signed_list_that_contradicts_itself_is_found(members, private, public, tmp_path):
    statement = json.loads(read_envelope(members[SEAL]).payload)
    statement["predicate"]["cohorts"]["train"]["digest"] = "0" * 64
    sealed = sign(PAYLOAD_TYPE, json.dumps(statement).encode(), private).to_json()
    assert found(tmp_path, {**members, SEAL: sealed}, public) == [("contradiction", "items.csv")]
    statement["subject"] = [s for s in statement["subject"] if s["name"] != "files.csv"]
    sealed = sign(PAYLOAD_TYPE, json.dumps(statement).encode(), private).to_json()
    rest = {n: d for n, d in members.items() if n != "files.csv"}
    assert found(tmp_path, {**rest, SEAL: sealed}, public) == [("removed", "files.csv")]


# Hostile and broken containers


def hostile(name, data=b"x", **changes):
    info = zipfile.ZipInfo(name)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([hostile("../../etc/cron.d/x")], "leads out"),
        ([hostile("/etc/passwd")], "leads out"),
        ([hostile("a/../../b")], "leads out"),
        ([hostile("C:/x")], "leads out"),
        ([hostile("..\\..\\x")], "leads out"),
        ([hostile("a\x1b]0;x\x07")], "control character"),
        ([hostile("a\u202egnp.exe")], "control character"),
        ([hostile("./a")], "plain form"),
        ([hostile("a//b")], "plain form"),
        ([hostile("link", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16)], "link"),
        ([hostile("pipe", external_attr=(stat.S_IFIFO | 0o644) << 16)], "link or a device"),
        ([hostile("folder/", b"bytes")], "folder with bytes"),
        ([hostile("result.json"), hostile("result.json")], "twice"),
        ([hostile("result.json"), hostile("RESULT.json")], "twice"),
        ([hostile("a", compress_type=zipfile.ZIP_BZIP2)], "packed by a method"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_members_are_refused_before_anything_is_read(entries, message, tmp_path):
    path = tmp_path / "h.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
    with pytest.raises(BundleError, match=message):
        Archive(path)
    assert [p.name for p in tmp_path.iterdir()] == ["h.zip"]


def test_bombs_and_crowds_are_refused(tmp_path, monkeypatch):
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros", "w") as member,
    ):
        for _ in range(130):
            member.write(bytes(2**20))
    with pytest.raises(BundleError, match="absurdly"):
        Archive(bomb)
    # A size that is a lie: the bytes end before, and the member counts as damaged.
    lies = tmp_path / "lies.zip"
    lies.write_bytes(packed({"a": b"12345678"}).replace((8).to_bytes(4, "little"), b"\x07\0\0\0"))
    with Archive(lies) as opened:
        assert opened.digest("a") is None
        with pytest.raises(BundleError, match="more than the 3"):
            opened.read("a", 3)
    monkeypatch.setattr(archive_module, "MOST_FILES", 2)
    with pytest.raises(BundleError, match="3 files"):
        Archive(write(tmp_path, {"a": b"", "b": b"", "c": b""}))


def test_an_encrypted_member_is_refused(tmp_path):
    data = packed({"a": b"1"})
    at = data.index(b"PK\x01\x02") + 8
    path = tmp_path / "e.zip"
    path.write_bytes(data[:at] + b"\x01" + data[at + 1 :])
    with pytest.raises(BundleError, match="encrypted"):
        Archive(path)


def test_a_truncated_or_foreign_file_is_unusable(members, public, tmp_path):
    whole = packed(members)
    for number, data in enumerate((b"", b"no zip", whole[: len(whole) // 2], whole[:-5])):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        with pytest.raises(BundleError, match="is no zip file"):
            verify(path, public)
    with pytest.raises(BundleError, match="does not exist"):
        verify(tmp_path / "absent.zip", public)
    assert found(tmp_path, {"a.txt": b"some other zip"}, public) == [("removed", SEAL)]


# The command line


def test_the_commands_say_what_they_did_and_exit_accordingly(out, keys, tmp_path):
    bundle = tmp_path / "b.zip"
    code, said = invoke("seal", out, "--key", keys / "lab.pem", "-o", bundle)
    assert (code, bundle.exists()) == (0, True)
    assert "What it does not show" in said
    assert "documents that are not there" in said
    code, said = invoke("verify", bundle, "--key", keys / "lab.pem.pub")
    assert code == 0
    assert said.startswith("verified")
    assert "When it was sealed" in said
    assert "data were not looked at" in said
    code, said = invoke("verify", bundle, "--key", keys / "other.pem.pub", "--language", "zh")
    assert code == 1
    assert said.startswith("NOT VERIFIED")
    assert "封条不能证明" in said
    bundle.write_bytes(b"PK")
    assert invoke("verify", bundle, "--key", keys / "lab.pem.pub")[0] == 2
    assert invoke("seal", tmp_path / "nothing", "--key", keys / "lab.pem")[0] == 2
    code, said = invoke("seal", "--new-key", tmp_path / "new.pem")
    assert (code, (tmp_path / "new.pem.pub").exists()) == (0, True)
    assert Path(tmp_path / "new.pem").read_text() not in said


def test_data_are_checked_against_the_sealed_list(keys, private, tmp_path):
    from sdq_core.hashing import hash_file

    data = tmp_path / "generated"
    data.mkdir()
    for k in range(3):
        (data / f"{k}.png").write_bytes(b"picture %d" % k)
    out = tmp_path / "out"
    evaluated(out)
    lines = [f"synthetic,{p.name},9,{hash_file(p)}" for p in sorted(data.iterdir())]
    lines += ["synthetic,broken.png,,", "train/labels,labels.csv,9," + "0" * 64]
    (out / "files.csv").write_text("role,path,bytes,sha256\r\n" + "\r\n".join(lines) + "\r\n")
    bundle = seal(out, private).path
    given = ("verify", bundle, "--key", keys / "lab.pem.pub", "--quiet", "--data")
    code, said = invoke(*given, f"synthetic={data}")
    assert (code, "3 files as they were judged" in said) == (0, True)
    assert "could not be read when judged: 'broken.png'" in said
    (data / "0.png").write_bytes(b"swapped")
    (data / "1.png").unlink()
    (data / "new\n.png").write_bytes(b"")
    code, said = invoke(*given, f"synthetic={data}")
    assert code == 1
    for line in ("changed: '0.png'", "missing: '1.png'", "added: 'new\\n.png'"):
        assert line in said
    labels = tmp_path / "labels.csv"
    labels.write_text("item\n")
    code, said = invoke(*given, f"train/labels={labels}")
    assert (code, "changed: 'labels.csv'" in said, "added:" in said) == (1, True, False)

"""A PostgreSQL server for tests, started where its programs are found."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


def programs():
    """Folder of initdb and pg_ctl, or None."""
    found = shutil.which("pg_ctl")
    if found is not None and shutil.which("initdb") is not None:
        return Path(found).resolve().parent
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return known[-1].parent if known else None


@contextmanager
def postgres():
    """Start a server of one's own; give the URL of its first database."""
    folder = Path(tempfile.mkdtemp(prefix="sdq-pg-"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    bin_, data = programs(), folder / "data"

    def run(*words):
        subprocess.run([*user, *words], check=True, capture_output=True, cwd=folder)

    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(bin_ / "initdb", "-D", data, "-A", "trust", "-U", "sdq", "--no-sync")
    run(bin_ / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql+pg8000://sdq@/postgres?unix_sock={folder}/.s.PGSQL.5432"
    finally:
        run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)

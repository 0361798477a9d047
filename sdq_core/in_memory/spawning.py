"""Which engine to take when nobody says: worker processes only where they can start."""

from __future__ import annotations

import ast
import multiprocessing
import sys
from pathlib import Path

__all__ = ["default_engine"]


def default_engine() -> str:
    """Return ``"processes"`` where worker processes can start from here, else ``"serial"``.

    A worker imports the program's main file again. That is safe where there is none (a notebook,
    an interactive session) or where it keeps its work under ``if __name__ == "__main__":``.
    Workers themselves start none.

    Examples
    --------
    >>> default_engine() in ("processes", "serial")
    True
    """
    process = multiprocessing.current_process()
    if process.daemon or multiprocessing.parent_process() is not None:
        return "serial"
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    # The start method spawn leaves the main module of a package alone.
    if spec is not None and (spec.name == "__main__" or spec.name.endswith(".__main__")):
        return "processes"
    file = getattr(main, "__file__", None)
    return "processes" if file is None or _is_guarded(Path(file)) else "serial"


def _is_guarded(path: Path) -> bool:
    """Whether a script has an ``if __name__ == "__main__":`` at its top level."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
        for node in body
    )

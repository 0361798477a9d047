"""How far a command is: a bar on a terminal, lines in a log file."""

from __future__ import annotations

from typing import Any, Self

import typer

__all__ = ["Progress"]


class Progress:
    """A progress bar of the steps on stderr; silent where stderr is no terminal or on request."""

    def __init__(self, quiet: bool) -> None:
        import rich.progress
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._plain = not quiet and not console.is_terminal
        self._bar = rich.progress.Progress(
            TextColumn("{task.description:28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}
        self._said = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that a stage (``"stage: detail"``) has done so many of its parts."""
        key, _, detail = stage.partition(": ")
        if self._plain:
            # In a log file a line at each tenth says as much as a bar.
            tenth = f"{stage} {10 * done // max(total, 1)}"
            if tenth != self._said:
                self._said = tenth
                typer.echo(f"{stage} {done}/{total}", err=True)
            return
        if key not in self._tasks:
            self._tasks[key] = self._bar.add_task(key, total=total)
        self._bar.update(
            self._tasks[key],
            completed=done,
            total=total,
            description=f"{key} {detail}".strip(),
        )

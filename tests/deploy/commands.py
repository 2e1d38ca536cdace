"""Commands that files name, read by the program's own parser."""

import re
import shlex

import click

from pipeline.cli import COMMANDS, cli

ENDS = "`'\"|;&>#\n"  # of a command in prose, in a shell, in YAML
OURS = re.compile(rf"(?<![\w/:.-])(?:\S*/)?dinostream ((?:{'|'.join(COMMANDS)})\b[^{ENDS}]*)")


def named(text):
    """Arguments of every `dinostream ...` in a text."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [shlex.split(found) for found in OURS.findall(joined)]


def check(words):
    """Parse as the program would; a command that stands alone is only spoken of.

    Raises:
        click.UsageError: it would refuse them.
    """
    context, command, words = None, cli, list(words)
    while isinstance(command, click.Group):
        context = command.make_context(command.name, words, parent=context)
        _, command, words = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        if not words:
            return {}
    return command.make_context(command.name, words, parent=context).params

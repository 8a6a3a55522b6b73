# SPDX-License-Identifier: Apache-2.0
from importlib.metadata import entry_points, version
from importlib.resources import files

import click


def styles():
    """{name: template}, from the data file and from plugins."""
    text = files("greet").joinpath("data/styles.txt").read_text(encoding="utf-8")
    found = dict(line.split(" ", 1) for line in text.splitlines())
    for entry in entry_points(group="greet.styles"):
        found[entry.name] = entry.load()
    return found


@click.command()
@click.argument("name", required=False)
@click.option("--style", default="plain", help="how to greet")
@click.option("--list", "show", is_flag=True, help="list the styles")
@click.version_option(version("greet"), prog_name="greet")
def main(name, style, show):
    """Greets NAME."""
    known = styles()
    if show:
        click.echo("\n".join(sorted(known)))
    elif name is None:
        raise click.UsageError("who is to be greeted?")
    elif style not in known:
        raise click.BadParameter(f"there is no style {style}", param_hint="--style")
    else:
        click.echo(known[style].format(name=name))

# SPDX-License-Identifier: Apache-2.0
"""PEX_TOOLS=1: the commands of pex-tools, answered by the packed program.

Runs inside the packed program, from text of the executable.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import sys
from importlib import metadata

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
VERSION = ".".join(map(str, sys.version_info[:3]))
# From 3.13 on Pex says as well that it has a global lock.
IMPLEMENTATION = f"CPython{'-t' if sys.version_info >= (3, 13) else ''}=={VERSION}"

# What pex_info.py of Pex adds where PEX-INFO does not say it.
DEFAULTS = {
    "bind_resource_paths": {},
    "build_properties": {},
    "deps_are_wheel_files": False,
    "distributions": {},
    "emit_warnings": True,
    "excluded": [],
    "ignore_errors": False,
    "includes_tools": False,
    "inherit_path": "false",
    "inject_args": [],
    "inject_env": {},
    "inject_python_args": [],
    "interpreter_constraints": [],
    "interpreter_selection_strategy": "oldest",
    "max_install_jobs": 1,
    "overridden": [],
    "pex_path": "",
    "pex_paths": [],
    "requirements": [],
    "strip_pex_env": True,
    "venv": False,
    "venv_bin_path": "false",
    "venv_copies": False,
    "venv_hermetic_scripts": True,
    "venv_site_packages_copies": False,
    "venv_system_site_packages": False,
}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def specifiers(text):
    """As Pex writes them."""
    return ",".join(sorted(re.sub(r"\s+", "", p) for p in text.split(",") if p.strip()))


class Requirement:
    """A Requires-Dist, written as Pex writes it."""

    PATTERN = re.compile(
        r"\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(\[(?P<extras>[^]]*)\])?\s*"
        r"(@\s*(?P<url>\S+)|\(?(?P<specifier>[^;()]*)\)?)\s*(;(?P<marker>.*))?$",
        re.DOTALL,
    )

    def __init__(self, text):
        match = self.PATTERN.match(text)
        if match is None:
            raise ValueError(f"not a requirement: {text!r}")
        self.name = match["name"]
        parts = (match["extras"] or "").split(",")
        self.extras = sorted(p.strip() for p in parts if p.strip())
        self.url = match["url"]
        self.specifier = specifiers(match["specifier"] or "")
        self.marker = Marker(match["marker"]) if match["marker"] else None

    def __str__(self):
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        what = f" @ {self.url} " if self.url else self.specifier
        marker = f"; {self.marker}" if self.marker else ""
        return f"{self.name}{extras}{what}{marker}"


class Marker:
    TOKEN = re.compile(
        r"\s*(?P<text>'[^']*'|\"[^\"]*\")|\s*(?P<op>===|[<>=!~]=|[<>]|[()])"
        r"|\s*(?P<word>[a-z_]+(\.[a-z_]+)*)"
    )

    def __init__(self, text):
        self.tokens = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = self.TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not a marker: {text!r}")
            at = match.end()
            if match["text"]:
                self.tokens.append(f'"{match["text"][1:-1]}"')
            else:
                self.tokens.append(match["op"] or match["word"])

    def __str__(self):
        """As `packaging` writes it: parentheses where they are needed."""
        self.left = list(self.tokens)
        return self._text(self._group(), outer=True)

    def _group(self):
        """[comparison, "and", [comparison, "or", ...], ...]"""
        items = []
        while self.left and not self._take(")"):
            if self._take("("):
                items.append(self._group())
            elif self.left[0] in ("and", "or"):
                items.append(self.left.pop(0))
            else:
                size = 4 if self.left[1] == "not" else 3
                items.append(" ".join(self.left[:size]))
                del self.left[:size]
        return items

    def _text(self, items, outer):
        if isinstance(items, str):
            return items
        if len(items) == 1:
            return self._text(items[0], outer=True)
        text = " ".join(self._text(item, outer=False) for item in items)
        return text if outer else f"({text})"

    def applies(self, environment):
        self.left = list(self.tokens)
        return self._or(environment)

    def _take(self, *wanted):
        if self.left and self.left[0] in wanted:
            return self.left.pop(0)
        return None

    def _or(self, environment):
        value = self._and(environment)
        while self._take("or"):
            value = self._and(environment) or value
        return value

    def _and(self, environment):
        value = self._compare(environment)
        while self._take("and"):
            value = self._compare(environment) and value
        return value

    def _compare(self, environment):
        if self._take("("):
            value = self._or(environment)
            self._take(")")
            return value
        a, op = self._value(environment), self.left.pop(0)
        if op == "not":
            self.left.pop(0)
            return a not in self._value(environment)
        b = self._value(environment)
        if op == "in":
            return a in b
        x, y = release(a), release(b)
        if op not in ("===", "~=") and x is not None and y is not None:
            size = max(len(x), len(y))
            a = x + (0,) * (size - len(x))
            b = y + (0,) * (size - len(y))
        if op == "~=":
            return x is not None and y is not None and x >= y and x[: len(y) - 1] == y[:-1]
        return {
            "==": a == b,
            "===": a == b,
            "!=": a != b,
            "<": a < b,
            "<=": a <= b,
            ">": a > b,
            ">=": a >= b,
        }[op]

    def _value(self, environment):
        token = self.left.pop(0)
        return token[1:-1] if token[0] == '"' else environment.get(token, "")


def release(text):
    return (
        tuple(int(part) for part in text.split("."))
        if re.fullmatch(r"\d+(\.\d+)*", text)
        else None
    )


def marker_environment():
    import platform

    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def distributions():
    """Those that were packed, by name."""
    root = os.path.join(sys.prefix, SITE)
    found = {}
    for dist in metadata.distributions(path=[root]):
        found.setdefault(canonical(dist.metadata["Name"]), dist)
    return [found[name] for name in sorted(found)]


def requirements(dist):
    return [Requirement(text) for text in dist.requires or ()]


@contextlib.contextmanager
def output(options, mode="w"):
    if options.output in (None, "-"):
        yield sys.stdout if mode == "w" else sys.stdout.buffer
    else:
        folder = os.path.dirname(os.path.abspath(options.output))
        os.makedirs(folder, exist_ok=True)
        with open(options.output, mode) as stream:
            yield stream


def dump_json(options, data, out):
    json.dump(data, out, indent=options.indent)
    out.write("\n")


# --- info, interpreter, graph ------------------------------------------------


def info(tools, options):
    fields = {**DEFAULTS, **tools.info}
    with output(options) as out:
        dump_json(options, dict(sorted(fields.items())), out)


def platforms():
    """Of wheels that this machine can use, as PEP 600 has them."""
    machine = os.uname().machine
    libc = re.fullmatch(r"glibc (\d+)\.(\d+)", os.confstr("CS_GNU_LIBC_VERSION") or "")
    legacy = {17: "2014", 12: "2010", 5: "1"} if machine == "x86_64" else {17: "2014"}
    oldest = min(legacy) if machine == "x86_64" else 17
    found = []
    if libc and libc[1] == "2":
        for minor in range(int(libc[2]), oldest - 1, -1):
            found.append(f"manylinux_2_{minor}_{machine}")
            if minor in legacy:
                found.append(f"manylinux{legacy[minor]}_{machine}")
    return [*found, f"linux_{machine}"]


def supported_tags():
    """In the order of PEP 425, best first."""
    minor = sys.version_info[1]
    own = f"cp3{minor}"
    machines = platforms()
    pairs = [f"{own}-{own}", f"{own}-abi3", f"{own}-none"]
    pairs += (f"cp3{older}-abi3" for older in range(minor - 1, 1, -1))
    pythons = [f"py3{minor}", "py3", *(f"py3{older}" for older in range(minor - 1, -1, -1))]
    tags = [f"{pair}-{machine}" for pair in pairs for machine in machines]
    tags += (f"{python}-none-{machine}" for python in pythons for machine in machines)
    return [*tags, *(f"{python}-none-any" for python in [own, *pythons])]


def interpreter(tools, options):
    with output(options) as out:
        if not options.verbose:
            out.write(sys.executable + "\n")
            return
        tags = supported_tags()
        what = {
            "path": sys.executable,
            "requirement": IMPLEMENTATION,
            "platform": f"{tags[0].split('-')[2]}-cp-"
            f"{VERSION}-{tags[0].split('-')[1]}",
        }
        if options.verbose >= 2:
            what["supported_tags"] = tags
        if options.verbose >= 3:
            what["env_markers"] = marker_environment()
            what["venv"] = False
        dump_json(options, what, out)


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"'


def attributes(**values):
    return ", ".join(f"{k}={quoted(v)}" for k, v in values.items() if v is not None)


def write_graph(tools, out):
    dists = distributions()
    present = {canonical(dist.metadata["Name"]) for dist in dists}
    environment = {**marker_environment(), "extra": ""}
    nodes, edges = {}, []
    for dist in dists:
        name = dist.metadata["Name"]
        nodes[name] = attributes(
            label=f"{name} {dist.version}",
        )
        for req in requirements(dist):
            key = canonical(req.name)
            if key not in present and req.marker and not req.marker.applies(environment):
                nodes[req.name] = attributes(
                    color="lightgrey",
                    style="filled",
                    tooltip="inactive requirement",
                )
            label = req.specifier + (f"; {req.marker}" if req.marker else "")
            edges.append((name, req.name, attributes(label=label or None, fontsize="10")))
    title = (
        f"Dependency graph of {tools.path} for interpreter {sys.executable} "
        f"({IMPLEMENTATION})"
    )
    out.write(f"strict digraph {quoted(tools.path)} {{\n")
    out.write(f"graph [{attributes(fontsize='14', labelloc='t', label=title)}];\n")
    for name, text in nodes.items():
        out.write(f"{quoted(name)} [{text}];\n")
    for start, end, text in edges:
        out.write(f"{quoted(start)} -> {quoted(end)} [{text}];\n")
    out.write("}\n")


def graph(tools, options):
    import io
    import subprocess

    if not (options.render or options.open):
        with output(options) as out:
            write_graph(tools, out)
        return None
    text = io.StringIO()
    write_graph(tools, text)
    try:
        done = subprocess.run(
            ["dot", "-T", options.format],
            input=text.getvalue().encode(),
            stdout=subprocess.PIPE,
        )
        if done.returncode != 0:
            return "Failed to render dependency graph."
        if not options.open:
            with output(options, "wb") as out:
                out.write(done.stdout)
            return None
        path = options.output
        if path in (None, "-"):
            import tempfile

            fd, path = tempfile.mkstemp(suffix=f".deps.{options.format}")
            os.close(fd)
        with open(path, "wb") as out:
            out.write(done.stdout)
        subprocess.Popen(["xdg-open", path], stdout=subprocess.DEVNULL)
    except OSError as e:
        return (
            f"Failed to render dependency graph for {tools.path}.\n"
            f"Do you have `{e.filename}` installed on the $PATH?: {e}\n"
            f"Find more information on `{e.filename}` at https://graphviz.org/."
        )
    return None


# --- repository --------------------------------------------------------------


def repository_info(tools, options):
    with output(options) as out:
        for dist in distributions():
            name = dist.metadata["Name"]
            location = str(dist.locate_file(""))
            if not options.verbose:
                out.write(f"{name} {dist.version} {location}\n")
                continue
            what = {
                "project_name": name,
                "version": dist.version,
                "requires_python": specifiers(dist.metadata["Requires-Python"] or "") or None,
                "requires_dists": [str(req) for req in requirements(dist)],
                "location": location,
            }
            dump_json(options, what, out)


def tags_of(wheel):
    """Every tag of a wheel's file name, which may have sets: py2.py3-none-any."""
    sets = [part.split(".") for part in wheel.removesuffix(".whl").split("-")[-3:]]
    return {"-".join(tag) for tag in itertools.product(*sets)}


def wheel_name(info, dist):
    """As PEX-INFO has it, else from WHEEL."""
    name = canonical(dist.metadata["Name"])
    tags = re.findall(r"(?m)^Tag:\s*(\S+)", dist.read_text("WHEEL") or "")
    found = [
        wheel
        for wheel in info.get("distributions", {})
        if (canonical(wheel.split("-")[0]), *wheel.split("-")[1:2]) == (name, dist.version)
    ]
    # There may be one for each platform.
    found.sort(key=lambda wheel: tags_of(wheel).isdisjoint(tags))
    if found:
        return found[0]
    return "-".join(
        [name.replace("-", "_"), dist.version, tags[0] if tags else "py3-none-any"]
    ) + ".whl"


def wheel_names(info_text):
    """For the banner of the prompt."""
    info = json.loads(info_text)
    return [wheel_name(info, dist) for dist in distributions()]


def wheel_member(dist, stem, path):
    """Where a file of the tree belongs in a wheel; None: not into it."""
    parts = path.split("/")
    depth = SITE.count("/") + 1
    if parts[0] != "..":
        return path
    outside = "/".join(parts[depth:]) if parts[:depth] == [".."] * depth else None
    if outside is None:
        return None
    if outside.startswith("bin/"):
        generated = {
            point.name
            for point in dist.entry_points
            if point.group in ("console_scripts", "gui_scripts")
        }
        script = outside[len("bin/") :]
        return None if script in generated else f"{stem}.data/scripts/{script}"
    headers = re.match(r"include/site/python[\d.]+/[^/]+/(.*)", outside)
    if headers:
        return f"{stem}.data/headers/{headers[1]}"
    return f"{stem}.data/data/{outside}"


def repack(tools, dist, folder, times):
    import base64
    import hashlib
    import zipfile

    path = os.path.join(folder, wheel_name(tools.info, dist))
    info_dir = next(
        str(p).split("/")[0] for p in dist.files or () if ".dist-info/" in str(p)
    )
    stem = info_dir[: -len(".dist-info")]
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in sorted(dist.files, key=str):
            member = wheel_member(dist, stem, str(file))
            real = str(dist.locate_file(file))
            if (
                member is None
                or member.endswith((".pyc", f"{info_dir}/RECORD", "/INSTALLER", "/REQUESTED"))
                or not os.path.isfile(real)
            ):
                continue
            with open(real, "rb") as stream:
                data = stream.read()
            if f"{stem}.data/scripts/" in member:
                data = re.sub(rb"\A#![^\n]*/python3?(?=[ \n])", b"#!python", data)
            entry = zipfile.ZipInfo(member, times)
            mode = 0o755 if os.access(real, os.X_OK) else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
            record.append((member, "sha256=" + digest.rstrip(b"=").decode(), len(data)))
        record.append((f"{info_dir}/RECORD", "", ""))
        rows = "".join(
            f'"{m}",{h},{n}\n' if "," in m else f"{m},{h},{n}\n" for m, h, n in record
        )
        entry = zipfile.ZipInfo(f"{info_dir}/RECORD", times)
        entry.external_attr = 0o100644 << 16
        wheel.writestr(entry, rows)
    return path


def repository_extract(tools, options):
    import time

    if options.serve or options.sources:
        return "--serve and --sources are not possible in a packed program."
    if not options.dest_dir:
        return "Specify a --find-links directory to extract wheels to."
    folder = os.path.abspath(os.path.expanduser(options.dest_dir))
    os.makedirs(folder, exist_ok=True)
    times = time.localtime()[:6] if options.use_system_time else (1980, 1, 1, 0, 0, 0)
    with output(options) as out:
        for dist in distributions():
            path = repack(tools, dist, folder, times)
            name = dist.metadata["Name"]
            out.write(f"{name} {dist.version}: Repacked wheel as {path}\n")
    return None


# --- venv --------------------------------------------------------------------


def files_of(dists):
    """Real paths in the tree, below sys.prefix."""
    root = os.path.join(sys.prefix, SITE)
    return {
        os.path.normpath(os.path.join(root, str(file)))
        for dist in dists
        for file in dist.files or ()
    }


def tree():
    """Every file of the application's part of the tree."""
    for top in sorted(os.listdir(sys.prefix)):
        start = os.path.join(sys.prefix, SITE if top == "lib" else top)
        for folder, _, names in os.walk(start):
            for name in names:
                yield os.path.join(folder, name)


def copy_tree(tools, target, scope, python, hermetic):
    owned = files_of(distributions())
    line = f"#!{python}{' -I' if hermetic else ''}\n".encode()
    for path in tree():
        if os.path.islink(path) or os.path.samefile(path, sys.executable):
            continue  # Python itself
        if scope != "all" and (path in owned) != (scope == "deps"):
            continue
        to = os.path.join(target, os.path.relpath(path, sys.prefix))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(path, "rb") as stream:
            data = stream.read()
        if os.path.relpath(path, sys.prefix).startswith("bin/"):
            data = re.sub(rb"\A#!" + re.escape(sys.prefix.encode()) + rb"/bin/python3[^\n]*\n", line, data)
        with open(to, "wb") as stream:
            stream.write(data)
        os.chmod(to, 0o755 if os.access(path, os.X_OK) else 0o644)


def add_activation(target, prompt):
    """bin/activate and its like for other shells."""
    from venv import EnvBuilder

    builder = EnvBuilder(prompt=prompt)
    builder.setup_scripts(builder.ensure_directories(target))


def venv(tools, options):
    import shutil

    target = os.path.abspath(options.venv)
    if options.pip or options.system_site_packages:
        return "--pip and --system-site-packages are not possible: Python is built in."
    if os.path.exists(target) and os.listdir(target):
        if not options.force:
            return (
                f"The virtual environment directory {target} is not empty; "
                "use --force to replace it."
            )
        shutil.rmtree(target)
    python = os.path.join(target, "bin", "python")
    os.makedirs(os.path.dirname(python))
    copy_tree(
        tools, target, options.scope, python, not options.non_hermetic_scripts
    )
    if options.copies:
        shutil.copy(tools.path, python)
    else:
        os.symlink(tools.path, python)
    for name in ("python3", f"python3.{sys.version_info[1]}"):
        os.symlink("python", os.path.join(target, "bin", name))
    os.symlink(tools.path, os.path.join(target, "pex"))
    with open(os.path.join(target, "PEX-INFO"), "w") as stream:
        json.dump(tools.info, stream, sort_keys=True)
    prompt = options.prompt or os.path.basename(target)
    add_activation(target, prompt)
    with open(os.path.join(target, "pyvenv.cfg"), "w") as stream:
        stream.write(
            f"home = {os.path.dirname(tools.path)}\n"
            "include-system-site-packages = false\n"
            f"version = {VERSION}\nprompt = {prompt}\n"
        )
    if options.compile:
        import compileall

        compileall.compile_dir(os.path.join(target, SITE), quiet=1)
    if options.remove:
        os.unlink(tools.path)
    return None


# --- the command line --------------------------------------------------------


def needs_command(parser):
    return lambda tools, options: parser.error("a subcommand is required")


def add_output(parser, what):
    parser.add_argument(
        *("-o", "--output"),
        metavar="PATH",
        help=f"A file to output the {what} to; STDOUT by default or for `-`.",
    )


def add_indent(parser):
    parser.add_argument(
        *("-i", "--indent"), type=int, help="Indent the JSON by so much."
    )


def add_common(parser, verbosity=True):
    """Options of Pex's that change nothing here."""
    group = parser.add_argument_group(title="Global options, without effect")
    if verbosity:
        group.add_argument("-v", dest="verbosity", action="count", default=0)
    group.add_argument("--emit-warnings", "--no-emit-warnings", action="store_true")
    group.add_argument("--pex-root")
    group.add_argument("--disable-cache", action="store_true")
    group.add_argument("--cache-dir")
    group.add_argument("--tmpdir")
    group.add_argument("--rcfile", metavar="RC_FILE")


def add_choice(parser, *names, choices, **options):
    def for_value(text):  # named as in Pex's messages
        if text not in choices:
            raise ValueError(text)
        return text

    parser.add_argument(*names, choices=choices, type=for_value, **options)


def make_parser(tools):
    name = os.path.relpath(tools.path) if tools.path.startswith(os.getcwd()) else tools.path
    shown = name if os.sep in name else os.path.join(".", name)
    parser = argparse.ArgumentParser(
        prog=f"PEX_TOOLS=1 {shown}", description=f"Tools for working with {shown}."
    )
    parser.set_defaults(run=needs_command(parser))
    version = tools.info.get("build_properties", {}).get("pex_version", "unknown")
    parser.add_argument("-V", "--version", action="version", version=version)
    commands = parser.add_subparsers(
        description=f"The PEX file {shown} can be operated on using any of the "
        "following subcommands."
    )

    def add(group, name, run, text):
        command = group.add_parser(name, help=text, description=text)
        command.set_defaults(run=run or needs_command(command))
        return command

    command = add(commands, "info", info, "Dumps the PEX-INFO json contained in a PEX file.")
    add_output(command, "PEX-INFO json")
    add_indent(command)
    add_common(command)

    command = add(
        commands,
        *("interpreter", interpreter),
        "Prints the path of the preferred interpreter to run the given PEX file with, if any.",
    )
    add_output(command, "Python interpreter path")
    command.add_argument("-a", "--all", action="store_true")
    command.add_argument("-v", "--verbose", action="count", default=0)
    add_indent(command)
    add_common(command, verbosity=False)

    command = add(
        commands,
        *("graph", graph),
        "Generates a dot graph of the dependencies contained in a PEX file.",
    )
    add_output(command, "dot graph")
    command.add_argument("-r", "--render", action="store_true")
    command.add_argument("-f", "--format", default="svg")
    command.add_argument("--open", action="store_true")
    add_common(command)

    command = add(
        commands,
        *("repository", None),
        "Interact with the Python distribution repository contained in a PEX file.",
    )
    add_output(command, "distribution information")
    group = command.add_subparsers()
    command = add(group, "info", repository_info, "Print the distributions contained in a PEX file.")
    command.add_argument("-v", "--verbose", action="store_true")
    add_indent(command)
    add_common(command, verbosity=False)
    command = add(
        group, "extract", repository_extract, "Extract all distributions from a PEX file."
    )
    command.add_argument("-f", "--dest-dir", "--find-links", "--repo", metavar="PATH")
    command.add_argument("-D", "--sources", action="store_true")
    command.add_argument("--use-system-time", action="store_true")
    command.add_argument("--serve", action="store_true")
    command.add_argument("--port", type=int)
    command.add_argument("--pid-file", metavar="PATH")
    add_common(command)

    command = add(commands, "venv", venv, "Creates a venv from the PEX file.")
    command.add_argument("venv", metavar="PATH")
    add_choice(command, "--scope", default="all", choices=["all", "deps", "srcs"])
    add_choice(command, "-b", "--bin-path", choices=["false", "prepend", "append"])
    command.add_argument("-f", "--force", action="store_true")
    command.add_argument("--collisions-ok", action="store_true")
    command.add_argument("-p", "--pip", action="store_true")
    command.add_argument("--copies", action="store_true")
    command.add_argument("--site-packages-copies", action="store_true")
    command.add_argument("--system-site-packages", action="store_true")
    command.add_argument("--compile", action="store_true")
    command.add_argument("--prompt")
    command.add_argument("--non-hermetic-scripts", action="store_true")
    add_choice(command, "--rm", "--remove", dest="remove", choices=["pex", "all"])
    add_common(command, verbosity=False)
    return parser


class Tools:
    def __init__(self, path, info_text):
        self.path = path
        self.info = json.loads(info_text)


def main(path, info_text, arguments):
    """What to give to sys.exit()."""
    tools = Tools(path, info_text)
    if not tools.info.get("includes_tools", tools.info.get("venv")):
        return (
            "The PEX_TOOLS environment variable was set, but this PEX was not built "
            "with tools (Re-build the PEX file with `pex --include-tools ...`)"
        )
    parser = make_parser(tools)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        import shlex

        parser.error("Unrecognized arguments: " + " ".join(map(shlex.quote, unknown)))
    return options.run(tools, options)

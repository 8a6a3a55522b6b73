# SPDX-License-Identifier: Apache-2.0
"""Lays a CPython build out as a python-build-standalone full archive.

python/build/     objects of core and extensions, static libraries in lib/
python/build/pic/ position-independent twins of the objects, where they differ
python/install/   what `make install` gives
python/licenses/  the copyright files of the linked Debian packages
python/PYTHON.json, format version 8: its documentation names the fields
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import versions

EXTENSION_LINE = re.compile(r"^([A-Za-z_]\w*)\s+(.*\.c\b.*)$")
SYSTEM_LIBS = {"m", "dl", "rt", "pthread", "util"}


def setup_extensions(src):
    """{name: (objects, library names)} of all statically linked extensions."""
    found = {}
    for setup in ("Modules/Setup.local", "Modules/Setup.bootstrap", "Modules/Setup"):
        path = src / setup
        for line in path.read_text().split("*disabled*")[0].splitlines():
            m = EXTENSION_LINE.match(line.split("#")[0].strip())
            if not m or m[1] in found:
                continue
            words = m[2].split()
            objects = ["Modules/" + w[:-2] + ".o" for w in words if w.endswith(".c")]
            links = [w[2:] for w in words if w.startswith("-l")]
            found[m[1]] = (objects, links)
    return found


def inittab(src):
    """[(name, init function)] in the order of the generated config.c."""
    text = (src / "Modules/config.c").read_text()
    return re.findall(r'\{"(\w+)",\s*(\w+)\}', text)


def link_entry(name, static):
    if f"lib{name}.a" in static:
        return {"name": name, "path_static": f"build/lib/lib{name}.a"}
    if name not in SYSTEM_LIBS:
        raise ValueError(f"library {name} is neither static nor libc's own")
    return {"name": name, "system": True}


def copy_object(src, destination, relative, folder="build"):
    target = destination / folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(src / relative, target)
    return f"{folder}/{relative}"


def describe_extensions(src, destination, static):
    """The build_info.extensions object; copies objects."""
    known = setup_extensions(src)
    result = {}
    for name, init in inittab(src):
        objects, links = known.get(name, ([], []))
        entry = {
            "in_core": not objects,
            "init_fn": "NULL" if init == "NULL" else init,
            "links": [link_entry(link, static) for link in links],
            "objs": [copy_object(src, destination, o) for o in objects],
            "required": not objects or name in REQUIRED,
            "variant": "default",
        }
        if name == "_decimal":
            entry["links"].append(
                {"name": "mpdec", "path_static": "build/lib/libmpdec.a"}
            )
        result[name] = [entry]
    return result


REQUIRED = {
    "_io", "_sre", "_thread", "_weakref", "_abc", "_codecs", "_collections",
    "_functools", "_locale", "_operator", "_signal", "_stat", "_symtable",
    "_tracemalloc", "errno", "faulthandler", "itertools", "posix", "pwd",
    "time", "atexit",
}

INFO = """
import importlib.machinery, importlib.util, json, sys, sysconfig
extension = [sysconfig.get_config_var("EXT_SUFFIX"), ".abi3.so", ".so"]
print(json.dumps({
    "version": sys.version.split()[0],
    "major_minor": "%d.%d" % sys.version_info[:2],
    "tag": sys.implementation.cache_tag,
    "implementation": sys.implementation.name,
    "implementation_version": list(map(str, sys.implementation.version)),
    "hex_version": sys.implementation.hexversion,
    "paths": sysconfig.get_paths(expand=False),
    "platform_config": sysconfig._get_sysconfigdata_name() + ".py",
    "platform": sysconfig.get_platform(),
    "config_vars": {k: str(v) for k, v in sysconfig.get_config_vars().items()
                    if k in ("abiflags", "EXT_SUFFIX", "SOABI", "Py_DEBUG",
                             "WITH_PYMALLOC", "CONFIG_ARGS", "CFLAGS", "OPT",
                             "VERSION", "LDVERSION", "MULTIARCH")},
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "suffixes": {
        "bytecode": importlib.machinery.BYTECODE_SUFFIXES,
        "debug_bytecode": importlib.machinery.DEBUG_BYTECODE_SUFFIXES,
        "extension": extension,
        "optimized_bytecode": importlib.machinery.OPTIMIZED_BYTECODE_SUFFIXES,
        "source": importlib.machinery.SOURCE_SUFFIXES,
    },
}))
"""


def ask_python(destination, target, build_python):
    """What INFO prints for the Python that was installed to `destination`.

    One for another machine cannot be started: build_python, of the same source,
    answers with its data, as in CPython's own cross builds.
    """
    install = destination / "install"
    command = [build_python, "-sBc", INFO]
    environment = {**os.environ}
    if target.is_cross:
        data = next(p for p in install.glob("lib/python*/_sysconfigdata_*.py")
                    if not p.is_symlink())
        environment["PYTHONPATH"] = str(data.parent)
        environment["_PYTHON_SYSCONFIGDATA_NAME"] = data.stem
        environment["_PYTHON_HOST_PLATFORM"] = f"linux-{target.machine}"
    else:
        exe = next(p for p in (install / "bin").iterdir()
                   if re.fullmatch(r"python\d\.\d+", p.name))
        command = [exe, "-IBc", INFO]
    return json.loads(subprocess.check_output(command, text=True, env=environment))


def licenses(destination, target):
    folder = destination / "licenses"
    folder.mkdir(exist_ok=True)
    found = []
    for package in sorted(set(versions.STATIC_LIBS.values())):
        # In another machine's packages it may be a link to one not unpacked.
        places = [root / "usr/share/doc" / package / "copyright"
                  for root in (target.root, Path("/"))]
        text = next((p for p in places if p.is_file()), None)
        if text is not None:
            shutil.copyfile(text, folder / f"LICENSE.{package}.txt")
            found.append(f"licenses/LICENSE.{package}.txt")
    return found


def core_objects(src, destination, taken, target):
    """Every member of libpython that is no extension's, by its path."""
    listing = (src / "Makefile").read_text()
    wanted = subprocess.check_output(
        [target.tool("ar"), "t", next(src.glob("libpython*.a"))], text=True
    ).split()
    paths = {}
    for path in src.rglob("*.o"):
        paths.setdefault(path.name, []).append(str(path.relative_to(src)))
    objects = []
    for name in wanted:
        candidates = [p for p in paths[name] if "/libmpdec/" not in p
                      and (p not in taken and p in listing
                           or p.startswith(("Python/", "Objects/", "Parser/")))]
        for candidate in candidates:
            if candidate not in objects and candidate not in taken:
                objects.append(candidate)
    objects = [o for o in objects if o != "Modules/config.o"]
    return [copy_object(src, destination, o) for o in objects]


def write(src, destination, static, target, build_python, pgo):
    (destination / "build/lib").mkdir(parents=True)
    for name, path in static.items():
        shutil.copyfile(path, destination / "build/lib" / name)
    shutil.copyfile(
        src / "Modules/_decimal/libmpdec/libmpdec.a",
        destination / "build/lib/libmpdec.a",
    )
    static = {**static, "libmpdec.a": None}
    extensions = describe_extensions(src, destination, static)
    taken = {
        o[len("build/"):] for e in extensions.values() for v in e for o in v["objs"]
    }
    core = core_objects(src, destination, taken, target)
    copy_object(src, destination, "Modules/config.o")
    copy_object(src, destination, "Modules/config.c")
    info = ask_python(destination, target, build_python)
    stdlib = f"install/lib/python{info['major_minor']}"
    document = {
        "version": "8",
        "target_triple": f"{target.machine}-unknown-linux-gnu",
        "optimizations": "pgo" if pgo else "noopt",
        "python_tag": "cp" + info["major_minor"].replace(".", ""),
        "python_abi_tag": "cp" + info["major_minor"].replace(".", ""),
        "python_implementation_cache_tag": info["tag"],
        "python_implementation_name": info["implementation"],
        "python_implementation_version": info["implementation_version"],
        "python_implementation_hex_version": info["hex_version"],
        "python_platform_tag": info["platform"],
        "python_version": info["version"],
        "python_major_minor_version": info["major_minor"],
        "python_config_vars": info["config_vars"],
        "python_paths": {
            "stdlib": stdlib,
            "platstdlib": stdlib,
            "purelib": f"{stdlib}/site-packages",
            "platlib": f"{stdlib}/site-packages",
            "include": f"install/include/python{info['major_minor']}",
            "scripts": "install/bin",
            "data": "install",
        },
        "python_paths_abstract": info["paths"],
        "python_stdlib_platform_config": f"{stdlib}/{info['platform_config']}",
        "python_exe": f"install/bin/python{info['major_minor']}",
        "python_stdlib_test_packages": ["test", "idlelib.idle_test", "lib2to3.tests",
                                        "ctypes.test", "distutils.tests", "sqlite3.test",
                                        "tkinter.test", "unittest.test"],
        "python_suffixes": info["suffixes"],
        "python_bytecode_magic_number": info["magic"],
        "python_symbol_visibility": "global-default",
        "python_extension_module_loading": ["builtin", "shared-library"],
        "libpython_link_mode": "static",
        "crt_features": ["glibc-dynamic", f"glibc-max-symbol-version:{versions.GLIBC_FLOOR}"],
        "build_info": {
            "core": {"objs": core, "links": [
                {"name": n, "system": True} for n in ("pthread", "dl", "util", "m")]},
            "extensions": extensions,
            "inittab_object": "build/Modules/config.o",
            "inittab_source": "build/Modules/config.c",
            "inittab_cflags": ["-DNDEBUG", "-O3", "-fno-pie"],
            "object_file_format": "elf",
        },
        "licenses": ["Python-2.0", "CNRI-Python"],
        "license_path": "licenses/LICENSE.cpython.txt",
        "license_paths": licenses(destination, target),
    }
    shutil.copyfile(src / "LICENSE", destination / "licenses/LICENSE.cpython.txt")
    (destination / "PYTHON.json").write_text(
        json.dumps(document, indent=1, sort_keys=True) + "\n"
    )


def add_pic(src, destination):
    """Puts the objects of another build of `src` beside those of the first.

    PYTHON.json does not name them: in the archives of others build/ itself is
    position-independent.
    """
    build = destination / "build"
    for path in sorted(build.rglob("*.o")):
        relative = path.relative_to(build)
        if (src / relative).is_file():
            copy_object(src, destination, relative, "build/pic")
    for path in src.rglob("libmpdec.a"):
        (build / "pic/lib").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, build / "pic/lib/libmpdec.a")

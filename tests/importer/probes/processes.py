# SPDX-License-Identifier: Apache-2.0
"""Child processes: multiprocessing in every way, sys.executable, re-exec."""

import os
import subprocess
import sys
import textwrap


def script(name, text):
    path = os.path.join(SCRATCH, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(textwrap.dedent(text))
    return path


def run(*arguments, **options):
    done = subprocess.run([sys.executable, "-I", "-B", *arguments],
                          capture_output=True, text=True, check=False,
                          timeout=120, **options)
    return [done.returncode, done.stdout, done.stderr]


WORK = script("work.py", """\
    import concurrent.futures, multiprocessing, os, sys
    from multiprocessing import managers, shared_memory
    import demo.documented


    def here(x):
        return x, __name__, demo.documented.__file__, sys.argv[1:]


    def fail(x):
        return demo.plain_absent


    def fill(name, queue):
        block = shared_memory.SharedMemory(name)
        block.buf[0] = 42
        block.close()
        queue.put(multiprocessing.current_process().name)


    class Counter(managers.BaseManager):
        pass


    class Thing:
        def twice(self, x):
            return demo.documented.double(x)


    Counter.register("Thing", Thing)

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(2) as pool:
            print(pool.map(demo.documented.double, range(4)))
            print(sorted(pool.imap_unordered(here, range(2))))
            try:
                pool.apply(fail, (1,))
            except AttributeError as e:
                print(type(e.__cause__).__name__, e)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            print(list(pool.map(demo.documented.double, "ab")))
            print(pool.submit(here, 5).result())
        block = shared_memory.SharedMemory(create=True, size=10)
        queue = context.Queue()
        child = context.Process(target=fill, args=(block.name, queue), name="filler")
        child.start()
        print(queue.get(timeout=60))
        child.join(60)
        print(child.exitcode, block.buf[0])
        block.close()
        block.unlink()
        with context.Manager() as manager:
            shared = manager.dict(a=1)
            shared["b"] = manager.list([1])
            print(sorted(shared.keys()), list(shared["b"]))
        with Counter(ctx=context) as counter:
            print(counter.Thing().twice(21))
        lock, event = context.Lock(), context.Event()
        with lock:
            event.set()
        print(event.is_set(), context.get_start_method())
    """)
for method in ("fork", "spawn", "forkserver"):
    record(f"multiprocessing, {method}", run(WORK, method))

MODULE = """\
import multiprocessing as m, demo.documented
if __name__ == '__main__':
    c = m.get_context({!r})
    with c.Pool(1) as p: print(p.map(demo.documented.double, [1]))
"""
for method in ("spawn", "forkserver"):
    record(f"pool from -c, {method}", run("-c", MODULE.format(method)))
record("pool from a module of the tree", run("-m", "demo.pooled"))
record("script of the tree", run(SITE + "/demo/pooled.py"))

CHILD = "import sys, demo.sub; print(sys.argv, demo.sub.__file__, __name__)"
record("children", [
    run("-c", CHILD, "a", "é"), run("-m", "demo", "x"), run("-", input=CHILD),
    run(script("child.py", CHILD), "1"), run("-m", "absent"),
    run(SCRATCH), run("-c", "import sys; sys.exit(7)"),
    run("-c", CHILD, cwd=SITE), run("-m", "demo", cwd=SITE + "/demo"),
    run("-c", "raise SystemExit('last words')"), run("/absent.py")])
record("through a shell", subprocess.run(
    f"'{sys.executable}' -I -c 'import demo; print(demo.VALUE)' | cat",
    shell=True, capture_output=True, text=True, check=False).stdout)
AGAIN = script("again.py", """\
    import os, sys
    import demo.documented
    count = int(sys.argv[1])
    print(count, sys.flags.isolated, sys.orig_argv[1:], demo.documented.__file__,
          flush=True)
    if count < 3:
        command = [sys.executable, *sys.orig_argv[1:-1], str(count + 1)]
        if count == 1:
            os.execv(sys.executable, command)
        os.execve(sys.executable, command, {"ONLY": "this"})
    print(sorted(os.environ))
    """)
record("exec", run(AGAIN, "1"))
record("spawn", os.posix_spawn(
    sys.executable, [sys.executable, "-I", "-c", "import demo"], os.environ) > 0)
record("spawned", os.wait()[1])
RELOADER = script("reloader.py", """\
    import os, subprocess, sys
    if os.environ.get("CHILD") != "3":
        environ = {**os.environ, "CHILD": str(int(os.environ.get("CHILD", 0)) + 1)}
        sys.exit(subprocess.call([sys.executable, "-I", *sys.argv], env=environ))
    import demo.sub.leaf
    print(demo.sub.leaf.LEAF, sys.argv)
    sys.exit(3)
    """)
record("reloader", run(RELOADER, "--option"))
read, write = os.pipe()
if os.fork() == 0:
    import demo.sub.leaf
    os.write(write, str(demo.sub.leaf.LEAF).encode())
    os._exit(0)
record("import after fork", [os.read(read, 10).decode(), os.wait()[1]])

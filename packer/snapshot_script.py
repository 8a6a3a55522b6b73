# SPDX-License-Identifier: Apache-2.0
"""What a script imports before it does anything: between snapshot_patterns.py
and snapshot_trace.py.

Between its imports a script may look at the environment and set variables.  At
each start it does so after them, which nobody can tell if none of them reads
such a variable.  The first statement of another kind ends the list.
"""

ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST: the module would have to be imported
ENVIRONMENT = "os.environ"
ASKING = {"os.environ.get", "os.getenv"}
SETTING = {"os.environ.pop", "os.environ.setdefault"}
FACTS = {"os.name", "sys.platform", "sys.version_info"}


class Script:
    def __init__(self, text):
        self.imports = []       # (level, module, names), in order
        self.variables = set()  # that may be set before the last of them
        self.set = set()        # that may have been set so far
        self.known = set()      # names of plain values
        self.modules = set()    # os and sys, under their names
        self.pass_all(compile(text, "<script>", "exec", ONLY_TREE, True).body)

    def pass_all(self, nodes):
        return all(map(self.passes, nodes))

    def passes(self, node):
        kind = type(node).__name__
        if kind == "Import":
            for alias in node.names:
                self.note_import(0, alias.name, None)
                self.bind(alias.asname or alias.name.partition(".")[0])
                if alias.asname is None and alias.name in ("os", "sys"):
                    self.modules.add(alias.name)
            return True
        if kind == "ImportFrom":
            self.note_import(node.level, node.module or "",
                             tuple(alias.name for alias in node.names))
            for alias in node.names:
                self.bind(alias.asname or alias.name)
            return True
        if kind == "FunctionDef":
            self.bind(node.name)
            values = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            hints = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs)]
            return not node.decorator_list and all(map(self.is_plain, values)) \
                and node.returns is None and not any(hints)
        if kind == "If" and is_main(node.test):
            return self.pass_all(node.body)
        if kind == "If":
            return self.is_plain(node.test) and all(
                map(self.is_setting, [*node.body, *node.orelse]))
        return self.is_setting(node)

    def bind(self, name):
        """It is something else from now on; "*" may be any."""
        for names in self.known, self.modules:
            names.difference_update(list(names) if name == "*" else [name])

    def note_import(self, *statement):
        self.imports.append(statement)
        self.variables |= self.set

    def is_setting(self, node):
        """Whether a statement sets names or variables, and does nothing else."""
        kind = type(node).__name__
        if kind == "Assign":
            return self.is_plain(node.value) and all(map(self.is_target, node.targets))
        if kind == "Delete":
            return all(type(t).__name__ == "Subscript" and self.is_target(t)
                       for t in node.targets)
        if kind == "Expr" and type(node.value).__name__ == "Call":
            call = node.value
            return self.dotted(call.func) in SETTING and self.has_plain_arguments(call) \
                and bool(call.args) and self.note_variable(call.args[0])
        return kind == "Pass" or kind == "Expr" and type(node.value).__name__ == "Constant"

    def is_target(self, node):
        if type(node).__name__ == "Name":
            self.bind(node.id)
            self.known.add(node.id)
            return True
        return type(node).__name__ == "Subscript" \
            and self.dotted(node.value) == ENVIRONMENT and self.note_variable(node.slice)

    def note_variable(self, node):
        name = getattr(node, "value", None)
        if type(node).__name__ != "Constant" or type(name) is not str \
                or name in ("HOME", "TZ") or name in SEEN_BY_RESTORE \
                or is_variable_of_python(name):
            return False
        self.set.add(name)
        return True

    def dotted(self, node):
        """The name of something in os or sys, else ""."""
        if type(node).__name__ == "Attribute":
            start = self.dotted(node.value)
            return start and f"{start}.{node.attr}"
        return node.id if type(node).__name__ == "Name" and node.id in self.modules else ""

    def is_plain(self, node):
        """Whether it only depends on the environment, and has no effect."""
        kind = type(node).__name__
        if kind == "Name":
            return node.id in self.known
        if kind == "Attribute":
            return self.dotted(node) in FACTS
        if kind == "Call":
            return self.dotted(node.func) in ASKING and self.has_plain_arguments(node)
        if kind == "Subscript":
            return (self.dotted(node.value) == ENVIRONMENT or self.is_plain(node.value)) \
                and self.is_plain(node.slice)
        if kind == "Compare":
            return self.is_plain(node.left) and all(
                self.is_plain(c) or self.dotted(c) == ENVIRONMENT for c in node.comparators)
        parts = {"BoolOp": "values", "Tuple": "elts", "List": "elts"}
        if kind in parts:
            return all(map(self.is_plain, getattr(node, parts[kind])))
        if kind == "BinOp":
            return self.is_plain(node.left) and self.is_plain(node.right)
        return kind == "Constant" or kind == "UnaryOp" and self.is_plain(node.operand)

    def has_plain_arguments(self, call):
        return not call.keywords and all(map(self.is_plain, call.args))


def is_main(test):
    """Whether it is `__name__ == "__main__"`."""
    return type(test).__name__ == "Compare" and len(test.ops) == 1 \
        and type(test.ops[0]).__name__ == "Eq" \
        and getattr(test.left, "id", "") == "__name__" \
        and getattr(test.comparators[0], "value", "") == "__main__"

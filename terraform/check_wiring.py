"""Parses every .tf file and checks that calls of modules, variables and outputs fit each other, without a provider."""

import pathlib
import re
import sys

import hcl2

ROOT = pathlib.Path(__file__).parent
META = {"source", "count", "for_each", "providers", "depends_on", "version", "__is_block__", "__comments__", "__inline_comments__"}


class Module:
    """One folder of .tf files."""

    def __init__(self, folder):
        self.folder = folder
        self.variables, self.outputs, self.calls, self.text = {}, set(), {}, ""
        for path in sorted(folder.glob("*.tf")):
            text = path.read_text(encoding="utf-8")
            try:
                tree = hcl2.loads(text)
            except Exception as error:
                sys.exit(f"{path}: {error}")
            self.text += re.sub(r"(?m)^\s*#.*$", "", text)
            for name, body in blocks(tree, "variable"):
                self.variables[name] = body
            for name, _ in blocks(tree, "output"):
                self.outputs.add(name)
            for name, body in blocks(tree, "module"):
                self.calls[name] = body


def blocks(tree, kind):
    for block in tree.get(kind, []):
        for name, body in block.items():
            yield name.strip('"'), body


def main():
    folders = [ROOT, *sorted(path for path in (ROOT / "modules").iterdir() if path.is_dir())]
    modules = {folder.resolve(): Module(folder) for folder in folders}
    wrong = []
    for module in modules.values():
        where = module.folder.relative_to(ROOT.parent)
        used = set(re.findall(r"\bvar\.(\w+)", module.text))
        wrong += [f"{where}: var.{name} is not declared" for name in used - set(module.variables)]
        wrong += [f"{where}: var.{name} is not used" for name in set(module.variables) - used]
        for name, body in module.calls.items():
            called = modules.get((module.folder / body["source"].strip('"')).resolve())
            if called is None:
                wrong.append(f"{where}: module {name} has no folder")
                continue
            given = set(body) - META
            needed = {key for key, variable in called.variables.items() if "default" not in variable}
            wrong += [f"{where}: module {name} has no variable {key}" for key in given - set(called.variables)]
            wrong += [f"{where}: module {name} needs {key}" for key in needed - given]
            outputs = set(re.findall(rf"\bmodule\.{name}(?:\[\w+\])?\.(\w+)", module.text))
            wrong += [f"{where}: module {name} has no output {key}" for key in outputs - called.outputs]
        unknown = set(re.findall(r"\bmodule\.(\w+)", module.text)) - set(module.calls)
        wrong += [f"{where}: module {name} is not called" for name in unknown]
    if wrong:
        sys.exit("\n".join(sorted(wrong)))
    print(f"{len(modules)} modules fit")


main()

"""What adnet offers by name."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import adnet

ROOT = Path(adnet.__file__).parent


def with_all() -> list[str]:
    """Return the modules that say what they export."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        names = {
            target.id
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        if "__all__" in names:
            parts = ("adnet", *path.relative_to(ROOT).with_suffix("").parts)
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


MODULES = with_all()


def load(name: str) -> ModuleType:
    """Import a module."""
    return importlib.import_module(name)


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_true(name):
    """Constants, classes, functions, each in order; no name twice and none that is not there."""
    module = load(name)
    kinds = lambda text: (not text.isupper(), not text[0].isupper(), text)  # noqa: E731
    assert list(module.__all__) == sorted(set(module.__all__), key=kinds)
    assert [entry for entry in module.__all__ if not hasattr(module, entry)] == []


def test_the_package_exports_what_it_imports():
    """Nothing public slips in beside ``__all__``."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_")}
    assert public | {"__version__"} == set(adnet.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_documented(name):
    """Classes and functions say what they are, and so do their public methods."""
    module = load(name)
    bare = []
    for entry in module.__all__:
        value = getattr(module, entry)
        if not (inspect.isclass(value) or inspect.isroutine(value)) or not value.__module__.startswith(
            "adnet"
        ):
            continue
        if not (value.__doc__ or "").strip():
            bare.append(entry)
        if inspect.isclass(value):
            bare += [f"{entry}.{method}" for method in undocumented_methods(value)]
    assert bare == []


def undocumented_methods(cls: type) -> list[str]:
    """Return the public methods and properties that neither the class nor a base documents."""
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property | classmethod | staticmethod))
        and not inspect.getdoc(getattr(cls, name))
    ]


PUBLIC = sorted(
    path for path in ROOT.rglob("*.py") if not path.name.startswith("_") or path.name == "__init__.py"
)


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_definition_has_a_docstring(path):
    """In every module that is not private itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


def test_importing_adnet_loads_no_heavy_library():
    """A script that only lists campaigns pays for no database and no table printer."""
    heavy = ["duckdb", "pyarrow", "rich", "cryptography", "keyring", "pytest", "hypothesis", "click"]
    code = f"import adnet, sys; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_plug_in_loads_no_more_than_pytest_needs():
    """It is loaded wherever adnet is installed."""
    code = "import adnet.testing.plugin, sys; print('adnet.testing.fakes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_names_of_testing_are_loaded_when_they_are_used():
    """And an unknown one is an AttributeError."""
    testing = load("adnet.testing")
    assert all(getattr(testing, name).__name__ for name in testing.__all__ if name.isidentifier())
    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = testing.NoSuchThing

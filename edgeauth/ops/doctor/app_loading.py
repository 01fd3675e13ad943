"""Imports the app that an operator names, as a server would."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
from importlib import import_module
from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.ops.text import escaped

_FORM = "must be module:attribute or module:factory(), such as site.app:app"
# A WSGI application takes two arguments.
_ASGI_ARGUMENTS = 3


def load_app(name: str, *, factory: bool = False) -> Any:  # noqa: ANN401 - an app of any framework
    """The object that ``module:attribute`` names, or what ``module:factory()`` returns.

    Args:
        name: as servers take it: uvicorn and hypercorn without, gunicorn with the call.
        factory: call it, as the option ``--factory`` of servers does.

    Raises:
        ConfigurationError: there is none, importing or calling it failed, or it is no app.
    """
    module, _, expression = name.partition(":")
    path, arguments = _parsed(name, module, expression)
    # Servers import from the current folder.
    sys.path.insert(0, "")
    try:
        # The output of an app must not mix with the findings.
        with contextlib.redirect_stdout(sys.stderr):
            found = import_module(module)
            for attribute in path:
                found = getattr(found, attribute)
            if arguments is not None or factory:
                args, options = arguments or ([], {})
                found = found(*args, **options)  # type: ignore[operator]
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing an app runs any code
        raise ConfigurationError(f"--app {name!a} cannot be imported: {in_words(error)}") from None
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove("")
    if _is_factory(found):
        raise ConfigurationError(
            f"--app {name!a} takes no request: if it makes the app, write "
            f"{module}:{'.'.join(path)}() or add --factory"
        )
    if not callable(found):
        raise ConfigurationError(f"--app {name!a} is {type(found).__name__}, which is no app")
    return found


def in_words(error: BaseException) -> str:
    """*error* in one line."""
    return escaped(" ".join(f"{type(error).__name__}: {error}".split()))


def is_asgi(app: Any) -> bool:  # noqa: ANN401
    """Whether a server would call *app* by ASGI."""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(app, "__call__", None)  # noqa: B004 - compiled ones have it too
    ):
        return True
    required = _required(app)
    return required == _ASGI_ARGUMENTS


def _parsed(
    name: str, module: str, expression: str
) -> tuple[list[str], tuple[list[Any], dict[str, Any]] | None]:
    """The attributes that *expression* goes through, and the arguments of its call, if any."""
    try:
        tree = ast.parse(expression, mode="eval").body
        arguments = None
        if isinstance(tree, ast.Call):
            arguments = (
                [ast.literal_eval(value) for value in tree.args],
                {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords if word.arg},
            )
            tree = tree.func
        path: list[str] = []
        while isinstance(tree, ast.Attribute):
            path.insert(0, tree.attr)
            tree = tree.value
        if not module or not isinstance(tree, ast.Name):
            raise ValueError(_FORM)  # noqa: TRY301
    except (SyntaxError, ValueError):
        raise ConfigurationError(f"--app {name!a} {_FORM}") from None
    return [tree.id, *path], arguments


def _is_factory(found: object) -> bool:
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        return False
    return _required(found) == 0


def _required(function: Any) -> int | None:  # noqa: ANN401
    """How many arguments *function* requires; None if it takes any number, or that is unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(
        parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )

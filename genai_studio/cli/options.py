"""Options: settings, params and training arguments as flags. Each becomes part of the signature that typer reads;
bounds and help are the declaration's own, and the values are judged by the declaration too, not here."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from genai_studio.domain.params import Params
from genai_studio.errors import InvalidInput, StudioError
from genai_studio.serve.logs import log_to
from genai_studio.settings import PREFIX, Settings

log = logging.getLogger(__name__)
_MARK = "setting__"


def command(run: Callable[..., None], show_settings: bool = False) -> Callable[..., None]:
    """Make `run(settings, ...)` a command: it gains a flag for each setting and never shows a traceback.
    Only the page's command lists the settings in its help; the others take them all the same."""
    own = list(inspect.signature(run, eval_str=True).parameters.values())[1:]
    taken = {_flag_of(parameter) for parameter in own}
    added = [
        inspect.Parameter(
            _MARK + declared.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=typer.Option(
                None,
                _setting_flag(declared),
                help=f"{declared.metadata['help']} [{PREFIX}{declared.name.upper()}]",
                hidden=not show_settings,
                show_default=False,
            ),
            annotation=_setting_type(declared) | None,
        )
        for declared in fields(Settings)
        if "help" in declared.metadata and f"--{declared.name}" not in taken
    ]

    @functools.wraps(run)
    def guarded(**values: Any) -> None:
        overrides = {name.removeprefix(_MARK): values.pop(name) for name in list(values) if name.startswith(_MARK)}
        try:
            settings = Settings.read(**overrides)
            log_to(settings.home)
            run(settings, **values)
        except StudioError as error:
            say(error.sentence)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            say("Stopped.")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # The reader of our output (head, less) has seen enough.
            sys.stdout = None
            raise typer.Exit(1) from None
        except Exception:
            log.exception("A command failed")
            say(f"Something went wrong inside the studio. Details are in {settings.home / 'studio.log'}.")
            raise typer.Exit(1) from None

    guarded.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    guarded.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *added]}
    return guarded


def say(sentence: str) -> None:
    """One line for the person, on stderr so that stdout holds results only."""
    print(sentence, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def param_options(params: type[Params], defaults: Mapping[str, Any]) -> list[inspect.Parameter]:
    """A flag for each field of `params`. None stands for "not given", so that the model's own default applies."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=typer.Option(
                None,
                flag(name),
                help=_param_help(params, name, defaults.get(name, field.default)),
                show_default=False,
            ),
            annotation=_param_type(field.annotation) | None,
        )
        for name, field in params.model_fields.items()
    ]


def param_values(params: type[Params], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as the values the params class takes: lists and objects are written as JSON."""
    values = {}
    for name, value in given.items():
        if value is None:
            continue
        annotation = params.model_fields[name].annotation
        if _is_plain(annotation):
            values[name] = value
        else:
            try:
                values[name] = json.loads(value)
            except ValueError:
                raise InvalidInput(f"{flag(name)} is not valid JSON.") from None
    return values


def function_options(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """A flag for each argument of `function`, from its signature."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [
        parameter.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            default=typer.Option(
                ... if parameter.default is inspect.Parameter.empty else parameter.default, _function_flag(parameter)
            ),
        )
        for parameter in parameters
    ]


def value_of(words: Any, option: str) -> str:
    """What follows `option` among the words, before typer has read them; empty where it is not there."""
    for place, word in enumerate(words):
        if word == option and place + 1 < len(words):
            return str(words[place + 1])
        if word.startswith(option + "="):
            return str(word[len(option) + 1 :])
    return ""


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _flag_of(parameter: inspect.Parameter) -> str:
    declared = getattr(parameter.default, "param_decls", None) or ()
    return next((text.split("/")[0] for text in declared if text.startswith("--")), flag(parameter.name))


def _setting_flag(declared: Field[Any]) -> str:
    return f"{flag(declared.name)}/--no-{declared.name}" if declared.type == "bool" else flag(declared.name)


def _setting_type(declared: Field[Any]) -> Any:
    return {"Path": Path, "str": str, "int": int, "bool": bool}[str(declared.type)]


def _function_flag(parameter: inspect.Parameter) -> str:
    name = flag(parameter.name)
    return f"{name}/--no-{name[2:]}" if parameter.annotation is bool else name


def _is_plain(annotation: Any) -> bool:
    return get_origin(annotation) is Literal or annotation in (int, float, str, bool)


def _param_type(annotation: Any) -> Any:
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    return annotation if annotation in (int, float, str, bool) else str


def _param_help(params: type[Params], name: str, default: Any) -> str:
    field = params.model_fields[name]
    schema = params.model_json_schema()["properties"][name]
    parts = [field.description or field.title or name]
    if get_origin(field.annotation) is Literal:
        parts.append(f"One of {', '.join(str(choice) for choice in get_args(field.annotation))}.")
    elif not _is_plain(field.annotation):
        parts.append("As JSON.")
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is not None and high is not None:
        parts.append(f"{'Above' if 'exclusiveMinimum' in schema else 'From'} {low} to {high}.")
    if isinstance(default, str | int | float) and default != "":
        parts.append(f"Default: {default}.")
    return " ".join(parts)

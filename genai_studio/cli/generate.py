"""`generate image|text|music`: one job, from the flags to the files."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from genai_studio.cli.connection import open_studio
from genai_studio.cli.options import command, flag, param_options, param_values, print_json, say, value_of
from genai_studio.cli.progress import Ticker
from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, StudioError
from genai_studio.gallery.records import Record
from genai_studio.models.base import ModelSpec, family_of
from genai_studio.remote import AnyStudio
from genai_studio.settings import Settings
from genai_studio.studio import Studio

_OWN = ("model", "out", "as_json", "words")


def generate_app(words: Sequence[str]) -> typer.Typer:
    """A command for each modality. The one that `words` call gets the flags of the model they name."""
    app = typer.Typer(help="Make images, text or music.", no_args_is_help=True)
    for modality in Modality:
        called = "generate" in words and modality.value in words
        spec = _chosen(modality, words) if called else None
        app.command(modality.value, help=_help(modality, spec))(_command(modality, spec))
    return app


def _chosen(modality: Modality, words: Sequence[str]) -> ModelSpec | None:
    """The model whose flags to show; None where the settings or the name are wrong, which the command itself says."""
    try:
        settings = Settings.read(
            home=value_of(words, "--home") or None,
            models=value_of(words, "--models") or None,
            demo=True if "--demo" in words else None,
        )
        studio = Studio(settings)
        name = value_of(words, "--model")
        return studio.model(name) if name else studio.default_model(modality)
    except StudioError:
        return None


def _help(modality: Modality, spec: ModelSpec | None) -> str:
    if spec is None:
        return {"image": "Make images.", "text": "Write text.", "music": "Make music."}[modality.value]
    return f"{spec.title}: {spec.summary} Other models: python -m genai_studio models list."


def _command(modality: Modality, spec: ModelSpec | None) -> Callable[..., None]:
    params = family_of(spec).params if spec else None

    def run(settings: Settings, **given: Any) -> None:
        model, out, as_json, words = (given.pop(name) for name in _OWN)
        inputs = {name: given.pop(f"input_{name}") for name in _input_names(spec)}
        if words and given.get("prompt"):
            raise InvalidInput("The prompt is there twice.", "Give it once, with or without --prompt.")
        if words:
            given["prompt"] = words
        values = param_values(params, given) if params else given
        with open_studio(settings) as studio:
            chosen = studio.model(model) if model else studio.default_model(modality)
            if chosen.modality is not modality:
                raise InvalidInput(f"{chosen.title} makes {chosen.modality}.", f"Use: generate {chosen.modality}.")
            inputs = {name: _input(studio, given) for name, given in inputs.items() if given}
            records = make(studio, chosen, values, inputs, stream=modality is Modality.TEXT and not as_json)
            show(studio, records, out, as_json, quiet=modality is Modality.TEXT)

    parameters = [
        inspect.Parameter("settings", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Settings),
        _own("words", str | None, typer.Argument(None, metavar="PROMPT", help="The same as --prompt.")),
        _own("model", str | None, typer.Option(None, "--model", help=_model_help(spec))),
        _own("out", Path | None, typer.Option(None, "--out", help="Copy the files to this folder too.")),
        _own("as_json", bool, typer.Option(False, "--json", help="Print the records as JSON.")),
    ]
    if spec is not None and params is not None:
        parameters += [
            _own(f"input_{name}", str | None, typer.Option(None, flag(name), help="Id of a record, or a file."))
            for name in _input_names(spec)
        ]
        shown = [option for option in param_options(params, spec.defaults) if option.name not in spec.hidden]
        parameters += shown
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command(run)


def _input_names(spec: ModelSpec | None) -> tuple[str, ...]:
    return (*spec.inputs, *spec.optional_inputs) if spec else ()


def _input(studio: AnyStudio, given: str) -> str:
    """A record's id as it is; a file becomes an asset."""
    return studio.keep_asset(Path(given)) if Path(given).is_file() else given


def make(
    studio: AnyStudio, spec: ModelSpec, values: dict[str, Any], inputs: dict[str, str], stream: bool
) -> list[Record]:
    """Submit one job and follow it to its records. Ctrl+C cancels the job, not only the waiting."""
    if not studio.is_present(spec.id):
        say(f"{spec.title} is downloaded first, once.")
    job = studio.submit(studio.request(spec.id, values, inputs))
    ticker = Ticker(stream)
    try:
        for event in studio.watch(job.id):
            ticker.follow(event)
    except KeyboardInterrupt:
        ticker.clear()
        studio.cancel(job.id)
        raise
    ticker.end()
    return [studio.gallery.get(record) for record in ticker.records]


def show(studio: AnyStudio, records: list[Record], out: Path | None, as_json: bool, quiet: bool) -> None:
    """Print what was made: JSON, or one path a line. A text has been printed already."""
    ids = [record.id for record in records]
    paths = studio.gallery.export(ids, out.absolute()) if out else []
    if as_json:
        print_json([describe(studio, record, out) for record in records])
    elif not quiet or out:
        for path in paths or [studio.gallery.open(record.id) for record in records]:
            print(path)


def describe(studio: AnyStudio, record: Record, out: Path | None = None) -> dict[str, Any]:
    """One record as the command line prints it."""
    path = studio.gallery.open(record.id)
    return {
        "id": record.id,
        "path": str(out.absolute() / path.name if out else path),
        "sha256": record.sha256,
        "seed": record.seed,
        "seconds": record.seconds,
        "companions": {role: str(studio.gallery.open(record.id, role)) for role in record.roles},
        "recipe": record.recipe.model_dump(mode="json"),
    }


def _own(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _model_help(spec: ModelSpec | None) -> str:
    return f"Which model. Default: {spec.id}." if spec else "Which model."

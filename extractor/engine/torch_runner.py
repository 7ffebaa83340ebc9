"""Runs weights with torch and transformers: any causal language model, fp32."""

from __future__ import annotations

import warnings
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from extractor import base_model
from extractor.base_model import BaseModel

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel


class TorchRunner:
    """A `Runner` over a transformers model in evaluation mode.

    :param model: a causal language model; its number format is that of the weights.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model

    @classmethod
    def load(cls, base: BaseModel, adapter: Path | None, threads: int | None) -> TorchRunner:
        """Load a base model in fp32, with an adapter merged into it.

        :param threads: of torch; None leaves them as they are.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        model: Any = _merged(base, adapter)
        return cls(model.eval())

    @property
    def context_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        return int(self.model.config.max_position_embeddings)

    @torch.inference_mode()
    def begin(self, tokens: list[int] | None = None) -> DynamicCache:
        """Return what the model keeps of the beginning of a sequence."""
        from transformers import DynamicCache

        state = DynamicCache(config=self.model.config)
        if tokens:
            self.run(state, tokens, 1)
        return state

    def copy(self, state: DynamicCache) -> DynamicCache:
        """Return a state that can go on by itself."""
        return deepcopy(state)

    def length(self, state: DynamicCache) -> int:
        """Return how many tokens a state holds."""
        return int(state.get_seq_length())

    @torch.inference_mode()
    def run(self, state: DynamicCache, tokens: list[int], keep: int) -> npt.NDArray[np.float32]:
        """Read tokens; return the logits behind the last `keep` of them."""
        answer = self.model(
            input_ids=torch.tensor([tokens]),
            past_key_values=state,
            use_cache=True,
            logits_to_keep=keep,
        )
        logits: npt.NDArray[np.float32] = answer.logits[0].float().numpy()
        return logits

    def drop(self, state: DynamicCache, count: int) -> None:
        """Forget the last tokens."""
        state.crop(-count)


def _merged(base: BaseModel, adapter: Path | None) -> PreTrainedModel:
    """Return a base model in fp32 with an adapter's weights added to its own."""
    plain, _ = base_model.load(base, torch.float32)
    model: Any = plain  # what peft returns is not annotated
    if adapter is not None:
        from peft import PeftModel

        with warnings.catch_warnings():
            # peft asks for an attribute that transformers has renamed.
            warnings.simplefilter("ignore", FutureWarning)
            model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    return model  # type: ignore[no-any-return]


def bf16_is_native() -> bool:
    """Return whether the processor multiplies bf16; emulated it is slower than fp32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()

"""The generation loop: one document's answer, token by token, under its constraint.

Greedy. Tokens that the constraint forces are not chosen by the model: they ride along in the pass
that is due anyway, so structure and the rest of an already unambiguous value cost no pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from extractor.engine.base import Output
from extractor.engine.close import close
from extractor.engine.constraint import Matcher
from extractor.schema import AnySchema

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@torch.inference_mode()
def decode(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompt: list[int],
    matcher: Matcher,
    schema: AnySchema,
    max_new_tokens: int,
) -> Output:
    """Generate the answer to one prompt.

    :param prompt: token ids, shape [prompt tokens].
    :param matcher: a fresh matcher of the constraint; it is consumed.
    :param max_new_tokens: most tokens before the answer is closed and marked truncated.
    """
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    tokens: list[int] = _consume_forced(matcher)
    logprobs = [0.0] * len(tokens)
    pending = [*prompt, *tokens]
    passes = 0
    while not matcher.done and len(tokens) < max_new_tokens:
        logits = model(
            input_ids=torch.tensor([pending]),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[0, -1]
        passes += 1
        token, logprob = _choose(logits, matcher)
        matcher.consume(token)
        forced = _consume_forced(matcher)
        pending = [token, *forced]
        tokens.extend(pending)
        logprobs.extend([logprob, *([0.0] * len(forced))])
    truncated = not matcher.done
    kept = tokens[:max_new_tokens] if truncated else tokens
    offsets, text = _offsets(kept, matcher)
    if truncated:
        text, _ = close(schema, text)
    return Output(
        text=text,
        logprobs=tuple(logprobs[: len(kept)]),
        offsets=offsets,
        truncated=truncated,
        prompt_tokens=len(prompt),
        passes=passes,
    )


def _choose(logits: torch.Tensor, matcher: Matcher) -> tuple[int, float]:
    """Return the likeliest allowed token and its log probability among the allowed ones.

    :param logits: shape [vocabulary], possibly padded beyond the tokenizer's.
    """
    allowed = torch.from_numpy(matcher.allowed()).nonzero().squeeze(1)
    scores = torch.log_softmax(logits.float()[allowed], dim=0)
    best = int(scores.argmax())
    return int(allowed[best]), float(scores[best])


def _consume_forced(matcher: Matcher) -> list[int]:
    forced = matcher.forced()
    for token in forced:
        matcher.consume(token)
    return forced


def _offsets(tokens: list[int], matcher: Matcher) -> tuple[tuple[int, ...], str]:
    """Return where each token starts in the text, in characters, and the text.

    Tokens are joined as bytes: a character may be spread over several tokens. What a cut left of
    an incomplete last character is dropped.
    """
    pieces = [matcher.token_bytes(token) for token in tokens]
    starts: list[int] = []
    characters = 0
    for piece in pieces:
        starts.append(characters)
        # Bytes of the form 10xxxxxx continue a character that has been counted.
        characters += sum(1 for byte in piece if byte & 0xC0 != 0x80)
    return tuple(starts), b"".join(pieces).decode("utf-8", errors="ignore")

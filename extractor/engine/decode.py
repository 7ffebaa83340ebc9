"""The generation loop: one document's answer, token by token, under its constraint.

Greedy. Tokens that the constraint forces are not chosen by the model: they ride along in the pass
that is due anyway, so structure and the rest of an already unambiguous value cost no pass. So do
guesses of what follows (`extractor.engine.draft`): as far as the model agrees with a guess, one
pass has chosen several tokens; what it does not agree with is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from extractor.engine.base import Output, Runner
from extractor.engine.close import close
from extractor.engine.constraint import Matcher
from extractor.engine.draft import Drafter
from extractor.profile import Stopwatch
from extractor.prompt import encode
from extractor.schema import AnySchema

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


DRAFT_TOKENS = 8
"""Most guessed tokens in one pass; beyond these a pass costs more than guesses save."""


def decode(
    runner: Runner,
    tokenizer: PreTrainedTokenizerFast,
    prompt: list[int],
    matcher: Matcher,
    schema: AnySchema,
    max_new_tokens: int,
    drafter: Drafter | None = None,
    state: Any = None,
    watch: Stopwatch | None = None,
) -> Output:
    """Generate the answer to one prompt.

    :param prompt: token ids, shape [prompt tokens].
    :param matcher: a fresh matcher of the constraint; it is consumed.
    :param max_new_tokens: most tokens before the answer is closed and marked truncated.
    :param drafter: a fresh one, for this answer; None guesses nothing.
    :param state: the runner's, behind the prompt's first tokens; it is gone on with.
    :param watch: counts the stages of this answer, what went before included.
    """
    watch = watch or Stopwatch()
    with watch.stage("prefill"):
        state = runner.begin() if state is None else state
    with watch.stage("mask"):
        tokens = _consume_forced(matcher)
    logprobs = [0.0] * len(tokens)
    pending = [*prompt[runner.length(state) :], *tokens]
    passes = 0
    while not matcher.done and len(tokens) < max_new_tokens:
        with watch.stage("draft"):
            guess = _guess(drafter, tokens, matcher, tokenizer) if drafter is not None else []
        with watch.stage("decode" if passes else "prefill"):
            logits = runner.run(state, [*pending, *guess], len(guess) + 1)
        passes += 1
        most = max_new_tokens - len(tokens)
        chosen, scores, agreed = _follow(logits, guess, matcher, most, watch)
        tokens.extend(chosen)
        logprobs.extend(scores)
        # What the state holds of the guess beyond the agreement must go. All of what was chosen
        # stands in it then but the rest, which the next pass reads.
        if agreed < len(guess):
            with watch.stage("decode"):
                runner.drop(state, len(guess) - agreed)
        pending = chosen[agreed:]
    truncated = not matcher.done
    kept = tokens[:max_new_tokens] if truncated else tokens
    offsets, text = token_offsets(kept, matcher)
    if truncated:
        text, _ = close(schema, text)
    return Output(
        text=text,
        logprobs=tuple(logprobs[: len(kept)]),
        offsets=offsets,
        truncated=truncated,
        prompt_tokens=len(prompt),
        passes=passes,
        timings_s=watch.seconds_s,
    )


def score(logits: npt.NDArray[np.float32], tokens: Sequence[int], matcher: Matcher) -> list[float]:
    """Return the log probability of each token of a given answer, as `decode` would count it.

    :param logits: before each token. Shape: [tokens, vocabulary].
    :param matcher: a fresh matcher of a constraint that accepts the tokens; it is consumed.
    """
    scores: list[float] = []
    while len(scores) < len(tokens):
        forced = matcher.forced()
        rest = tokens[len(scores) :]
        if forced and list(rest[: len(forced)]) == forced[: len(rest)]:
            known = forced[: len(rest)]
            scores += [0.0] * len(known)
        else:
            known = [rest[0]]
            allowed = np.flatnonzero(matcher.allowed())
            scores.append(_log_probability(logits[len(scores)], allowed, rest[0]))
        for token in known:
            matcher.consume(token)
    return scores


def _log_probability(
    logits: npt.NDArray[np.float32], allowed: npt.NDArray[np.intp], token: int
) -> float:
    """Return the log probability of a token among the allowed ones."""
    scores = logits[allowed]
    return float(logits[token] - scores.max() - np.log(np.exp(scores - scores.max()).sum()))


def _guess(
    drafter: Drafter, tokens: list[int], matcher: Matcher, tokenizer: PreTrainedTokenizerFast
) -> list[int]:
    """Return allowed tokens that probably come next, as the loop would come to write them."""
    known = matcher.forced_bytes()
    answer = (b"".join(map(matcher.token_bytes, tokens)) + known).decode(errors="ignore")
    best: list[int] = []
    for text in drafter.propose(answer):
        guess, whole = _allowed(known.decode(errors="ignore") + text, matcher, tokenizer)
        if len(guess) > len(best):
            best = guess
        if whole:
            break
    return best


def _allowed(
    text: str, matcher: Matcher, tokenizer: PreTrainedTokenizerFast
) -> tuple[list[int], bool]:
    """Return the tokens of a text as far as they are allowed, and whether all of them are.

    The model has learned texts that were tokenised whole: a value's end shares a token with the
    key that follows, so the text goes on as far as there is no choice.
    """
    ids = encode(text, tokenizer)
    ahead = matcher.copy()
    whole = all(ahead.try_consume(token) for token in ids)
    if whole:
        ids = encode(text + ahead.forced_bytes().decode(errors="ignore"), tokenizer)
    ids = ids[:DRAFT_TOKENS]
    return ids[: matcher.accepts(ids)], whole


def _follow(
    logits: npt.NDArray[np.float32],
    guess: list[int],
    matcher: Matcher,
    most: int,
    watch: Stopwatch,
) -> tuple[list[int], list[float], int]:
    """Choose tokens as long as the guess was right, and one more.

    :param logits: behind what was pending and behind each token of the guess.
        Shape: [guess + 1, vocabulary].
    :param most: tokens after which no further one is chosen.
    :returns: the tokens chosen and forced, their log probabilities, and how many of them at the
        beginning are those of the guess.
    """
    chosen: list[int] = []
    scores: list[float] = []
    while True:
        with watch.stage("mask"):
            allowed = np.flatnonzero(matcher.allowed())
        token, score = _choose(logits[len(chosen)], allowed)
        with watch.stage("mask"):
            matcher.consume(token)
            forced = _consume_forced(matcher)
        chosen += [token, *forced]
        scores += [score, *([0.0] * len(forced))]
        agreed = next(
            (i for i, (a, b) in enumerate(zip(chosen, guess, strict=False)) if a != b),
            min(len(chosen), len(guess)),
        )
        if agreed < len(chosen) or matcher.done or len(chosen) >= most:
            return chosen, scores, agreed


def _choose(logits: npt.NDArray[np.float32], allowed: npt.NDArray[np.intp]) -> tuple[int, float]:
    """Return the likeliest allowed token and its log probability among the allowed ones.

    :param logits: shape [vocabulary], possibly padded beyond the tokenizer's.
    :param allowed: token ids. Shape: [allowed].
    """
    scores = logits[allowed]
    best = int(scores.argmax())
    return int(allowed[best]), -float(np.log(np.exp(scores - scores[best]).sum()))


def _consume_forced(matcher: Matcher) -> list[int]:
    forced = matcher.forced()
    for token in forced:
        matcher.consume(token)
    return forced


def token_offsets(tokens: Sequence[int], matcher: Matcher) -> tuple[tuple[int, ...], str]:
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

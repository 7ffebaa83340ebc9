"""The generation loop: one document's answer, token by token, under its constraint.

Greedy. Tokens that the constraint forces are not chosen by the model: they ride along in the pass
that is due anyway, so structure and the rest of an already unambiguous value cost no pass. So do
guesses of what follows (`extractor.engine.draft`): as far as the model agrees with a guess, one
pass has chosen several tokens; what it does not agree with is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

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

# Up to where a value begins, and of `null` nothing, a part or all: `":` where `":"` is a token too.
_TO_NULL = re.compile(rb"(?:.*[:\[,])?(?:n|nu|nul|null\W*)?", re.DOTALL)


class Score(NamedTuple):
    """How a token was chosen; see `Output`. The defaults are those of a forced token."""

    logprob: float = 0.0
    removed: float = 0.0
    margin: float = 1.0
    null: float = 0.0


class Columns(TypedDict):
    """The same for all tokens of an answer; see `Output`."""

    logprobs: tuple[float, ...]
    removed: tuple[float, ...]
    margins: tuple[float, ...]
    nulls: tuple[float, ...]


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
    to_null = to_null_of(matcher)
    scores = [Score()] * len(tokens)
    pending = [*prompt[runner.length(state) :], *tokens]
    passes = 0
    while not matcher.done and len(tokens) < max_new_tokens:
        with watch.stage("draft"):
            guess = _guess(drafter, tokens, matcher, tokenizer) if drafter is not None else []
        with watch.stage("decode" if passes else "prefill"):
            logits = runner.run(state, [*pending, *guess], len(guess) + 1)
        passes += 1
        most = max_new_tokens - len(tokens)
        chosen, how, agreed = _follow(logits, guess, matcher, most, to_null, watch)
        tokens.extend(chosen)
        scores.extend(how)
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
        **columns(scores[: len(kept)]),
        offsets=offsets,
        truncated=truncated,
        prompt_tokens=len(prompt),
        passes=passes,
        timings_s=watch.seconds_s,
    )


def score(logits: npt.NDArray[np.float32], tokens: Sequence[int], matcher: Matcher) -> list[Score]:
    """Return how each token of a given answer stands, as `decode` would tell it if it chose it.

    :param logits: before each token. Shape: [tokens, vocabulary].
    :param matcher: a fresh matcher of a constraint that accepts the tokens; it is consumed.
    """
    to_null = to_null_of(matcher)
    scores: list[Score] = []
    while len(scores) < len(tokens):
        forced = matcher.forced()
        rest = tokens[len(scores) :]
        if forced and list(rest[: len(forced)]) == forced[: len(rest)]:
            known = forced[: len(rest)]
            scores += [Score()] * len(known)
        else:
            known = [rest[0]]
            mask = matcher.allowed()
            # A given answer may hold a token that the mask leaves out for a longer or shorter one
            # of the same text; it is one more choice then.
            mask[rest[0]] = True
            allowed = np.flatnonzero(mask)
            before = logits[len(scores)]
            index = int(np.searchsorted(allowed, rest[0]))
            scores.append(_score_of(index, before[allowed], before, allowed, to_null))
        for token in known:
            matcher.consume(token)
    return scores


def columns(scores: Sequence[Score]) -> Columns:
    """Return the columns of an `Output` that tell how its tokens were chosen."""
    return {
        "logprobs": tuple(score.logprob for score in scores),
        "removed": tuple(score.removed for score in scores),
        "margins": tuple(score.margin for score in scores),
        "nulls": tuple(score.null for score in scores),
    }


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
    to_null: npt.NDArray[np.bool_],
    watch: Stopwatch,
) -> tuple[list[int], list[Score], int]:
    """Choose tokens as long as the guess was right, and one more.

    :param logits: behind what was pending and behind each token of the guess.
        Shape: [guess + 1, vocabulary].
    :param most: tokens after which no further one is chosen.
    :param to_null: which tokens may lead to null. Shape: [vocabulary].
    :returns: the tokens chosen and forced, how each was chosen, and how many of them at the
        beginning are those of the guess.
    """
    chosen: list[int] = []
    scores: list[Score] = []
    while True:
        with watch.stage("mask"):
            allowed = np.flatnonzero(matcher.allowed())
        with watch.stage("choose"):
            token, score = _choose(logits[len(chosen)], allowed, to_null)
        with watch.stage("mask"):
            matcher.consume(token)
            forced = _consume_forced(matcher)
        chosen += [token, *forced]
        scores += [score, *([Score()] * len(forced))]
        agreed = next(
            (i for i, (a, b) in enumerate(zip(chosen, guess, strict=False)) if a != b),
            min(len(chosen), len(guess)),
        )
        if agreed < len(chosen) or matcher.done or len(chosen) >= most:
            return chosen, scores, agreed


def _choose(
    logits: npt.NDArray[np.float32],
    allowed: npt.NDArray[np.intp],
    to_null: npt.NDArray[np.bool_],
) -> tuple[int, Score]:
    """Return the likeliest allowed token and how it was chosen.

    :param logits: shape [vocabulary], possibly padded beyond the tokenizer's.
    :param allowed: token ids. Shape: [allowed].
    """
    among = logits[allowed]
    index = int(among.argmax())
    return int(allowed[index]), _score_of(index, among, logits, allowed, to_null)


def _score_of(
    index: int,
    among: npt.NDArray[np.float32],
    logits: npt.NDArray[np.float32],
    allowed: npt.NDArray[np.intp],
    to_null: npt.NDArray[np.bool_],
) -> Score:
    """Return how an allowed token stands among the others, and these among all.

    :param index: of the token in `allowed`.
    :param among: logits of the allowed ones. Shape: [allowed].
    """
    best = float(among.max())
    weights = np.exp(among - best)
    total = float(weights.sum())
    top = float(logits.max())
    kept = total * float(np.exp(best - top)) / float(np.exp(logits - top).sum())
    own = float(among[index]) - best
    weights[index] = 0.0
    null = 0.0 if to_null[allowed[index]] else float(weights[to_null[allowed]].sum()) / total
    return Score(
        logprob=own - float(np.log(total)),
        removed=min(1.0, max(0.0, 1.0 - kept)),
        margin=(float(np.exp(own)) - float(weights.max())) / total,
        null=null,
    )


@lru_cache(maxsize=4)
def _null_like(tokenizer: Any, vocabulary: int) -> npt.NDArray[np.bool_]:
    pieces = (bytes(tokenizer.decode_bytes([token])) for token in range(vocabulary))
    return np.fromiter(
        (piece != b"" and _TO_NULL.fullmatch(piece) is not None for piece in pieces),
        np.bool_,
        vocabulary,
    )


def to_null_of(matcher: Matcher) -> npt.NDArray[np.bool_]:
    """Return which tokens, where a value begins, go on towards null. Shape: [vocabulary].

    A tenth of a second for a tokenizer that is met for the first time.
    """
    return _null_like(*matcher.vocabulary)


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

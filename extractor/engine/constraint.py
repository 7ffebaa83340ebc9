"""What decoding may emit: a grammar derived from the field tree, compiled through Outlines.

Every key is there, in fixed order, without white space; every value may be null; strings and
lists are bounded. Where the text is given, a copied value can only be a span of it: a typed one
(amount, date, IBAN ...) one of the spans that its type finds, any other one a run of its words.

Outlines' llguidance backend compiles the grammar; the loop of `extractor.engine.decode` then
drives the matcher itself, because it needs forced tokens and probabilities.
"""

from __future__ import annotations

import json
import re
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from extractor.errors import SchemaError
from extractor.fields import Choice, FieldType, Rx
from extractor.schema import (
    AnySchema,
    ConstNode,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    NullNode,
    ObjectNode,
    TupleNode,
    clean,
)

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from transformers import PreTrainedTokenizerFast

_KEPT = 8
# Chinese, Japanese, Thai, Lao, Burmese and Khmer set no spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# What a copied text may begin and end with: a word, a character of an unspaced script, a sign.
_CHUNKS = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+|\W")


class Constraint:
    """The constraint of one schema for one tokenizer, compiled when it is first needed."""

    def __init__(self, schema: AnySchema, tokenizer: PreTrainedTokenizerFast) -> None:
        self.schema = schema
        self._tokenizer = _llg_tokenizer(tokenizer)
        self._eos = int(tokenizer.eos_token_id)
        self._matchers: OrderedDict[str | None, LLMatcher] = OrderedDict()
        self._depends_on_text = any_copied(schema.root)

    def start(self, text: str | None) -> Matcher:
        """Return a fresh matcher.

        :param text: the window that copied values must stand in; None for their general forms.
        :raises SchemaError: if the schema's grammar cannot be compiled.
        """
        key = text if self._depends_on_text else None
        if key not in self._matchers:
            self._matchers[key] = self._compile(grammar(self.schema, key))
            if len(self._matchers) > _KEPT:
                self._matchers.popitem(last=False)
        self._matchers.move_to_end(key)
        return Matcher(self._matchers[key].deep_copy(), self._tokenizer, self._eos)

    def _compile(self, lark: str) -> LLMatcher:
        import llguidance
        from outlines.backends.llguidance import LLGuidanceLogitsProcessor

        # Outlines builds a matcher from any text and answers '' for a bad grammar, so the grammar
        # is checked first. Its Generator would also build a tokenizer (0.5 s) for each schema.
        grammar_text = llguidance.grammar_from("grammar", lark)
        processor = LLGuidanceLogitsProcessor(grammar_text, self._tokenizer, "numpy")
        problem = llguidance.LLMatcher.validate_grammar(processor.grammar, processor.llg_tokenizer)
        if problem:
            raise SchemaError(
                f"schema {self.schema.name}: no constraint can be built: {problem.strip()[:200]}",
                hint="simplify the patterns or bounds of its fields",
            )
        return llguidance.LLMatcher(processor.llg_tokenizer, processor.grammar)


class Matcher:
    """Follows one answer token by token; for one sequence and one thread."""

    def __init__(self, matcher: LLMatcher, tokenizer: LLTokenizer, eos: int) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._eos = eos

    @property
    def done(self) -> bool:
        """Whether the answer is complete."""
        return bool(self._matcher.is_stopped() or self._matcher.is_accepting())

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Return which tokens may come next. Shape: [vocabulary]."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        mask = np.unpackbits(bits, bitorder="little")[: self._tokenizer.vocab_size]
        return mask.view(np.bool_)

    def consume(self, token: int) -> None:
        """Go on by one allowed token.

        :raises ValueError: if the token is not allowed; the matcher is then of no more use.
        """
        if not self._matcher.consume_token(token):
            raise ValueError(f"token {token} is not allowed here")

    def try_consume(self, token: int) -> bool:
        """Go on by one token if it is allowed; else stay."""
        return bool(self._matcher.try_consume_tokens([token]))

    def forced(self) -> list[int]:
        """Return the tokens that must come next, as far as there is no choice."""
        if self.done:
            return []
        return [token for token in self._matcher.compute_ff_tokens() if token != self._eos]

    def forced_bytes(self) -> bytes:
        """Return what must come next, also where it ends inside a token."""
        return b"" if self.done else bytes(self._matcher.compute_ff_bytes())

    def accepts(self, tokens: Sequence[int]) -> int:
        """Return how many of some tokens could come next, without moving."""
        return int(self._matcher.deep_copy().try_consume_tokens(list(tokens)))

    def copy(self) -> Matcher:
        """Return a matcher in the same state."""
        return Matcher(self._matcher.deep_copy(), self._tokenizer, self._eos)

    @property
    def vocabulary(self) -> tuple[LLTokenizer, int]:
        """The tokenizer, and how many tokens it has."""
        return self._tokenizer, int(self._tokenizer.vocab_size)

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes that a token stands for."""
        return bytes(self._tokenizer.decode_bytes([token]))


def any_copied(node: Node) -> bool:
    """Return whether a copied value stands somewhere in a tree."""
    if isinstance(node, LeafNode):
        return node.type.copied
    if isinstance(node, ObjectNode):
        return any(any_copied(child) for _, child in node.keys)
    if isinstance(node, ListNode):
        return any_copied(node.item)
    if isinstance(node, MapNode):
        return any_copied(node.value)
    if isinstance(node, TupleNode):
        return any(any_copied(item) for item in node.items)
    return not isinstance(node, ConstNode | NullNode) and any(map(any_copied, node.options))


def grammar(schema: AnySchema, text: str | None) -> str:
    """Return the Lark grammar (llguidance dialect) of a schema's answers."""
    writer = _Writer(text)
    writer.rules["start"] = writer.value(schema.root)
    lines = ["%llguidance {}"]
    lines += [f"{name}: {body}" for name, body in writer.rules.items()]
    lines += [f"{name}: {body}" for name, body in writer.terminals.items()]
    return "\n".join(lines) + "\n"


_tokenizers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def _llg_tokenizer(tokenizer: PreTrainedTokenizerFast) -> LLTokenizer:
    """Return llguidance's view of a tokenizer; half a second to build, so kept."""
    if tokenizer not in _tokenizers:
        import llguidance.hf

        _tokenizers[tokenizer] = llguidance.hf.from_tokenizer(tokenizer)
    kept: LLTokenizer = _tokenizers[tokenizer]
    return kept


class _Writer:
    """Writes the rules and terminals of one grammar; equal leaves share a terminal."""

    def __init__(self, text: str | None) -> None:
        # Line ends are kept for the types: a value of two lines would be none on the page.
        self.text = None if text is None else "\n".join(map(clean, text.split("\n")))
        self.flat = None if self.text is None else " ".join(self.text.split())
        self.rules: dict[str, str] = {"start": ""}
        self.terminals: dict[str, str] = {}
        self._leaves: dict[FieldType, str | None] = {}

    def nullable(self, node: Node) -> str:
        """Return a rule for a value or null."""
        if isinstance(node, ConstNode):
            return self.value(node)
        value = self.value(node)
        return self._rule(f'{value} | "null"' if value else '"null"')

    def value(self, node: Node) -> str:
        """Return an expression for a value that is not null; empty if there is none."""
        if isinstance(node, NullNode):
            return ""
        if isinstance(node, ConstNode):
            return _literal(json.dumps(node.value, ensure_ascii=False))
        if isinstance(node, LeafNode):
            return self._leaf(node.type) or ""
        if isinstance(node, ObjectNode):
            return self._object(node)
        if isinstance(node, ListNode):
            return self._list(node)
        if isinstance(node, TupleNode):
            items = [self.nullable(item) for item in node.items]
            return self._rule('"[" ' + ' "," '.join(items) + ' "]"') if items else '"[]"'
        if isinstance(node, MapNode):
            return self._map(node)
        options = [self.value(option) for option in node.options]
        return self._rule(" | ".join(option for option in options if option) or '"null"')

    def _object(self, node: ObjectNode) -> str:
        if not node.keys:
            return '"{}"'
        parts: list[str] = []
        for index, (key, child) in enumerate(node.keys):
            opening = ("," if index else "{") + json.dumps(key, ensure_ascii=False) + ":"
            parts += [_literal(opening), self.nullable(child)]
        return self._rule(" ".join([*parts, '"}"']))

    def _list(self, node: ListNode) -> str:
        item = self.value(node.item)
        if not item:
            return '"[]"' if node.min_items == 0 else ""
        item = self._rule(item)
        least = max(node.min_items, 1) - 1
        if node.max_items == 0:
            return '"[]"'
        more = _repeated(f'"," {item}', least, node.max_items - 1)
        full = f'"[" {item} {more} "]"'
        return self._rule(f'"[]" | {full}' if node.min_items == 0 else full)

    def _map(self, node: MapNode) -> str:
        key = self._terminal(f'/"{_slashed(node.key_pattern)}"/')
        pair = self._rule(f'{key} ":" {self.nullable(node.value)}')
        more = _repeated(f'"," {pair}', 0, node.max_items - 1)
        return self._rule(f'"{{}}" | "{{" {pair} {more} "}}"')

    def _leaf(self, kind: FieldType) -> str | None:
        if kind not in self._leaves:
            if kind.copied and self.text is not None:
                self._leaves[kind] = self._copied(kind)
            else:
                self._leaves[kind] = self._generic(kind)
        return self._leaves[kind]

    def _copied(self, kind: FieldType) -> str | None:
        assert self.text is not None and self.flat is not None
        if not kind.typed:
            return self._words(int(getattr(kind, "max_length", 160)))
        spans = {" ".join(self.text[start:end].split()) for start, end in kind.find(self.text)}
        if not spans:
            return None
        return self._terminal(" | ".join(_literal(_quoted(span)) for span in sorted(spans)))

    def _words(self, most: int) -> str | None:
        assert self.flat is not None
        if not self.flat:
            return None
        if "SUB" not in self.terminals:
            # Escaped chunk by chunk: a boundary inside an escape would break the JSON.
            chunks = [_quoted(chunk)[1:-1] for chunk in _CHUNKS.findall(self.flat)]
            chunked = json.dumps({"substring_chunks": chunks}, ensure_ascii=False)
            self.terminals["SUB"] = f"%regex {chunked}"
        return self._terminal(f'"\\"" (SUB & /[^ ](.{{0,{max(0, most - 2)}}}[^ ])?/) "\\""')

    def _generic(self, kind: FieldType) -> str:
        form = kind.emission()
        if isinstance(form, Choice):
            values = [_literal(json.dumps(v, ensure_ascii=False)) for v in form.values]
            return self._terminal(" | ".join(values))
        if isinstance(form, Rx):
            pattern = f"/{_slashed(form.pattern)}/"
            return self._terminal(f'"\\"" {pattern} "\\""' if form.quoted else pattern)
        return self._rule(f"%json {form.schema}")

    def _rule(self, body: str) -> str:
        if re.fullmatch(r"[a-zA-Z]\w*", body):
            return body
        for name, known in self.rules.items():
            if known == body:
                return name
        name = f"r{len(self.rules)}"
        self.rules[name] = body
        return name

    def _terminal(self, body: str) -> str:
        for name, known in self.terminals.items():
            if known == body:
                return name
        name = f"T{len(self.terminals)}"
        self.terminals[name] = body
        return name


def _repeated(body: str, least: int, most: int) -> str:
    """Return an expression for so many repeats; the grammar has no `{0,0}`."""
    return f"({body}){{{least},{most}}}" if most else ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    """Return a Lark literal that stands for exactly this text."""
    return json.dumps(text, ensure_ascii=False)


def _slashed(pattern: str) -> str:
    return re.sub(r"(?<!\\)/", r"\\/", pattern)

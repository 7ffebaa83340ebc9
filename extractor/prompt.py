"""The one rendering of a document's text and a schema to the model's chat prompt.

Training and serving both call `render`; nothing else in the project makes prompts. Fields come
before the text, so that the constant part is a prefix. `VERSION` is kept with every adapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractor.schema import AnySchema

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = "1"
SYSTEM = "Copy the fields from the document as JSON. Write null for what it does not show."
# Stands for the document while the template is rendered. Private-use characters are dropped from
# documents when they are read, so no document can contain it.
_MARK = "\ue000document\ue000"


def messages(schema: AnySchema, text: str) -> list[dict[str, str]]:
    """Return the chat messages that ask for `schema`'s fields of `text`."""
    fields = "\n".join(schema.lines())
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Fields:\n{fields}\n\nDocument:\n{text}"},
    ]


def render(schema: AnySchema, text: str, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Return the prompt's token ids, ending exactly where the assistant's answer begins.

    The text is encoded apart from the template and with special tokens split, so a document that
    contains `<|im_end|>` contains eleven characters and no end of turn.

    :param text: document text of one window; any characters.
    :returns: token ids, shape [prompt tokens].
    """
    before, after = constant(schema, tokenizer)
    return [*before, *encode(text, tokenizer), *after]


def constant(schema: AnySchema, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Return the token ids before and after the document; they are the same for all documents."""
    before, after = template(schema, tokenizer)
    return (
        tokenizer.encode(before, add_special_tokens=False),
        tokenizer.encode(after, add_special_tokens=False),
    )


def template(schema: AnySchema, tokenizer: PreTrainedTokenizerFast) -> tuple[str, str]:
    """Return the prompt's constant text before and after the document."""
    chat = messages(schema, _MARK)
    if tokenizer.chat_template is None:
        # A base model without a template of its own: plain sections, same order.
        rendered = "\n\n".join([*(message["content"] for message in chat), "JSON:\n"])
    else:
        rendered = str(
            tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        )
    before, after = rendered.split(_MARK)
    return before, after


def encode(text: str, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Return the token ids of plain text; special tokens in it stay text."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    return ids

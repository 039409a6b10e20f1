"""Chat templates: rendered as transformers would, and harmless whatever is in them."""

from __future__ import annotations

import sys

import pytest

from genai_studio.errors import GenerationFailed
from genai_studio.models import chat_template
from genai_studio.models.chat_template import ChatTemplate

TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <b>"}]


def test_a_template_is_rendered_as_transformers_would():
    source = (
        "{%- for m in messages %}\n    {%- if m.role == 'system' %}{% continue %}{% endif %}\n"
        "{{ bos_token }}[{{ m.role }}] {{ m.content | trim }}{{ eos_token }}\n{% endfor %}\n"
        "{% if add_generation_prompt %}[assistant]{% endif %} {{ messages | tojson }}"
    )
    rendered = ChatTemplate(source, bos="<s>", eos="</s>").render(TURNS)
    assert rendered.startswith("<s>[user] Hi <b></s>\n")
    assert '"content": "Hi <b>"' in rendered


def test_without_a_template_the_text_itself_is_continued():
    assert ChatTemplate("").render([{"role": "user", "content": "Once"}]) == "Once"
    assert ChatTemplate("  ").render(TURNS) == "Be brief.\n\nHi <b>"


def test_a_template_that_refuses_a_system_turn_gets_it_with_the_first_question():
    source = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    assert ChatTemplate(source).render(TURNS) == "<user>Be brief.\n\nHi <b>"
    with pytest.raises(GenerationFailed, match="no system"):
        ChatTemplate(source).render(TURNS[:1])


def test_two_turns_of_one_role_become_one():
    two = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert ChatTemplate("{% for m in messages %}<{{ m.content }}>{% endfor %}").render(two) == "<a\n\nb>"


def test_today_is_always_the_same_day():
    assert ChatTemplate("{{ strftime_now('%d %b %Y') }}").render(TURNS) == "26 Jul 2024"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ messages.append(1) }}",
        "{{ 'a' * 999999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ raise_exception('I refuse') }}",
        "{{ absent.absent }}",
        "{% include '/etc/passwd' %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}" + "a" * 400 + "{% endfor %}{% endfor %}",
    ],
)
def test_a_hostile_template_is_one_sentence(monkeypatch, source):
    monkeypatch.setattr(chat_template, "SECONDS", 0.3)
    with pytest.raises(GenerationFailed, match="chat template of this model"):
        ChatTemplate(source).render(TURNS)
    assert sys.gettrace() is None

"""Comments by key, compared with what stands in small files."""

from docs._generate.comments import field_comments, yaml_comments

YAML = """\
# The file:
# in two lines.
defaults: [x]

name: sgd
rate: 0.1  # of the weights
# for steps alone
step_rate: 1.0e-3
nested:
  inner: {a: 1}  # both
  deep:
    leaf: "32-true"   # text
after: null   # begins here
              # and goes on
# belongs to none

last: 1
"""


def test_comments_of_yaml_belong_to_the_nearest_key():
    assert yaml_comments(YAML) == {
        "rate": "of the weights",
        "step_rate": "for steps alone",
        "nested.inner": "both",
        "nested.deep.leaf": "text",
        "after": "begins here and goes on",
    }


def test_a_key_without_comment_has_none():
    assert yaml_comments("a: 1\nb: x#y\n") == {}


def test_comments_of_fields_stand_at_the_end_of_their_lines():
    source = (
        "class A:\n"
        "    # above\n"
        "    n: int = 1  # how many\n"
        "    m: list[int] = field(\n        default_factory=list\n    )  # which\n"
        "    k: str = '#'\n"
        "class B:\n    n: int = 2  # other\n"
    )
    assert field_comments(source) == {
        ("A", "n"): "how many",
        ("A", "m"): "which",
        ("B", "n"): "other",
    }

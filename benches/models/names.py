#!/usr/bin/env python3
"""Weighs ways to tell whether a capitalised word behind a given name is a family name.

Usage: evaluate.py GAZETTEER_DIR TEXT_DIR...

Reads the gazetteer (given.txt, family.txt, words.txt) and counts the words of the texts (documentation, comments). Compares, for pairs of
capitalised words that begin with a given name: the gazetteer alone, the gazetteer with a dictionary of plain words as a veto, and a logistic
regression over hashed character n-grams (2 to 4) with the gazetteer before it. Must never write a model or a list anywhere: it prints.
What stands in lower case more often than CASES times as with a capital counts as a plain word, anything else as a name: pairs were read by a
person, who found 99 in 100 so.
"""
import collections, math, os, random, re, sys, zlib

BUCKETS = 1 << 12
CASES = 2
WORD = re.compile(r"[A-Za-z]{2,}")
PAIR = re.compile(r"\b([A-Z][a-z]+) ([A-Z][a-z]{2,})\b")
ENDS = (".md", ".txt", ".rst", ".rs", ".py", ".go")


def load(path):
    return {w for line in open(path) if not line.startswith("#") for w in line.replace("?", "").split()}


def count(roots):
    low, cap, pairs = collections.Counter(), collections.Counter(), collections.Counter()
    for root in roots:
        for folder, _, files in os.walk(root):
            for name in files:
                if not name.endswith(ENDS):
                    continue
                text = open(os.path.join(folder, name), encoding="utf-8", errors="ignore").read(400_000)
                if name.endswith((".rs", ".go")):
                    text = "\n".join(line for line in text.split("\n") if "//" in line)
                for word in WORD.findall(text):
                    (low if word.islower() else cap)[word.lower()] += 1
                pairs.update(PAIR.findall(text))
    return low, cap, pairs


def grams(word):
    word = f"<{word}>"
    for n in (2, 3, 4):
        for at in range(len(word) - n + 1):
            yield zlib.crc32(word[at : at + n].encode()) % BUCKETS


def score(weights, word):
    found = list(grams(word))
    return weights[BUCKETS] + sum(weights[g] for g in found) / math.sqrt(len(found))


def train(names, plain, rounds=12):
    weights = [0.0] * (BUCKETS + 1)
    rows = [(w, 1.0) for w in names] + [(w, 0.0) for w in plain]
    chance = random.Random(1)
    for turn in range(rounds):
        chance.shuffle(rows)
        rate = 0.6 / (1 + turn)
        for word, label in rows:
            found = list(grams(word))
            scale = 1 / math.sqrt(len(found))
            z = weights[BUCKETS] + sum(weights[g] for g in found) * scale
            gap = label - 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
            weights[BUCKETS] += 0.1 * rate * gap
            for g in found:
                weights[g] += rate * scale * gap - 1e-5 * weights[g]
    return weights


def main():
    folder, roots = sys.argv[1], sys.argv[2:]
    given, family = load(f"{folder}/given.txt"), load(f"{folder}/family.txt")
    words = load(f"{folder}/words.txt")
    low, cap, pairs = count(roots)
    total = sum(low.values()) / 1e6
    plain = [w for w, n in low.items() if n / total > 1 and len(w) > 2 and w not in family and w not in given]
    weights = train(sorted(family), sorted(plain))
    seen = collections.defaultdict(lambda: [0, 0])
    for first, second in pairs:
        a, b = first.lower(), second.lower()
        if a not in given:
            continue
        name = low[b] <= CASES * cap[b]
        row = [1, 0] if name else [0, 1]
        ways = {
            "gazetteer alone": b in family,
            "gazetteer and dictionary": b in family or b not in words,
            "every capitalised word": True,
        }
        for cut in (0.0, 1.0, 2.0):
            ways[f"gazetteer and model above {cut}"] = b in family or score(weights, b) > cut
        for way, yes in ways.items():
            if yes:
                seen[way] = [x + y for x, y in zip(seen[way], row)]
    names, others = seen["every capitalised word"]
    print(f"{names} pairs that are names, {others} that are not, {len(plain)} plain words, {len(family)} family names")
    for way, (right, wrong) in sorted(seen.items()):
        print(f"{way:32} recall {right / names:7.2%}  false {wrong:5} ({wrong / others:7.2%})")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Weighs the table of character pairs against a trained model, for strings that look drawn.

Usage: tokens.py RARITY_TABLE.rs TEXT_DIR...

Written strings are the identifiers of twenty characters and more in the texts, split in halves by their hash: one trains the model, the other one
is judged. Drawn strings come from a seeded generator. The model: a logistic regression over hashed character n-grams (2 and 3). Both are
cut where 1 in 1,000 of the written strings is taken for drawn. Must never write anything: it prints.
"""
import math, os, random, re, string, sys, zlib

BUCKETS = 1 << 13
TOKEN = re.compile(r"[A-Za-z0-9_/+=-]{20,80}")
ENDS = (".rs", ".py", ".go", ".md", ".toml", ".json", ".yaml", ".yml")
ALPHABETS = {
    "base62": string.ascii_letters + string.digits,
    "base64url": string.ascii_letters + string.digits + "-_",
    "lower and digits": string.ascii_lowercase + string.digits,
    "letters": string.ascii_letters,
}


def written(roots):
    seen = set()
    for root in roots:
        for folder, _, files in os.walk(root):
            for name in files:
                if name.endswith(ENDS):
                    text = open(os.path.join(folder, name), encoding="utf-8", errors="ignore").read(200_000)
                    seen.update(t for t in TOKEN.findall(text) if re.search("[a-z]", t) and not re.fullmatch("[0-9a-fA-F-]+", t))
    return sorted(seen)


def table(path):
    text = open(path).read()
    body = text[text.index("PAIRS") :]
    body = body[body.index("= [") + 3 : body.index("];")]
    return [int(n) for n in re.findall(r"-?\d+", body)]


def kind(c):
    if "a" <= c <= "z":
        return ord(c) - 97
    if "A" <= c <= "Z":
        return 26 + ord(c) - 65
    return 52 if c.isdigit() else {"+": 53, "/": 54, "=": 55}.get(c, 56)


def familiarity(pairs, token):
    values = [pairs[kind(a) * 57 + kind(b)] for a, b in zip(token, token[1:])]
    return sum(values) / len(values)


def grams(token):
    return [zlib.crc32(token[at : at + n].encode()) % BUCKETS for n in (2, 3) for at in range(len(token) - n + 1)]


def z(weights, token):
    found = grams(token)
    return weights[-1] + sum(weights[g] for g in found) / math.sqrt(len(found))


def train(rows, chance):
    weights = [0.0] * (BUCKETS + 1)
    for turn in range(4):
        chance.shuffle(rows)
        for token, label in rows:
            found = grams(token)
            scale = 1 / math.sqrt(len(found))
            value = weights[-1] + sum(weights[g] for g in found) * scale
            step = 0.5 / (1 + turn) * (label - 1 / (1 + math.exp(-max(-30.0, min(30.0, value)))))
            weights[-1] += 0.1 * step
            for g in found:
                weights[g] += scale * step
    return weights


def main():
    pairs = table(sys.argv[1])
    chance = random.Random(7)
    tokens = written(sys.argv[2:])
    chance.shuffle(tokens)
    tokens = tokens[:60_000]
    learn = [t for t in tokens if zlib.crc32(t.encode()) % 2]
    judge = [t for t in tokens if not zlib.crc32(t.encode()) % 2]
    draw = lambda letters, length: "".join(chance.choice(letters) for _ in range(length))
    drawn = [draw(chance.choice(list(ALPHABETS.values())), chance.randint(20, 44)) for _ in range(len(learn))]
    weights = train([(t, 0.0) for t in learn] + [(t, 1.0) for t in drawn], chance)
    ways = {"pairs": lambda t: -familiarity(pairs, t), "model": lambda t: z(weights, t)}
    cuts = {way: sorted((score(t) for t in judge), reverse=True)[len(judge) // 1000] for way, score in ways.items()}
    print(f"{len(judge)} written strings judged, cut at 1 in 1,000 of them")
    for name, letters in ALPHABETS.items():
        for length in (20, 24, 32, 40):
            sample = [draw(letters, length) for _ in range(2_000)]
            shares = [f"{way} {sum(score(t) > cuts[way] for t in sample) / len(sample):7.2%}" for way, score in ways.items()]
            print(f"{name:18} {length}  " + "  ".join(shares))


if __name__ == "__main__":
    main()

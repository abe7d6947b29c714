#!/usr/bin/env bash
# Applies a planted bug to a scratch copy of the source, builds it, and runs the rows that its header names until one reports a
# fault: `make faults BUG=n` calls it. Ends with 0 when the bug was caught. The source itself is never touched.
set -euo pipefail

number=$1 faults=$2 libs=$3
patch=$(realpath "load-tests/bugs/$number.patch")
bugs="$CARGO_TARGET_DIR/bugs"
source="$bugs/source"
rows=$(sed -nE 's/^Rows: //p' "$patch")
seeds=$(sed -nE 's/^Seeds: //p' "$patch")

# One scratch copy for all bugs, where only what differs is written: cargo builds anew what a patch touches, and no more. The
# target folder is shared, so what is not ours is built already. Version and program have names of their own there: cargo would
# take what a bug built for what the source builds, and the other way round.
mkdir -p "$source"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[[ -f "$file" ]] || continue
	cmp -s "$file" "$source/$file" || { mkdir -p "$source/$(dirname "$file")"; cp "$file" "$source/$file"; }
done
[[ -d "$source/.git" ]] || git -C "$source" init -q
sed -i 's/^version = "0\.1\.0"$/version = "0.1.0-bug"/' "$source/Cargo.toml"
printf '\n[[bin]]\nname = "terrasift-bug"\npath = "src/main.rs"\n' >> "$source/Cargo.toml"
git -C "$source" apply "$patch" || { echo "bug $number: the patch does not apply any more" >&2; exit 2; }
# What a bug leaves unused is none of anybody's business.
cargo build --quiet --offline --manifest-path "$source/Cargo.toml" --package terrasift --bin terrasift-bug \
	2> "$bugs/build-$number.log" || { tail -n 20 "$bugs/build-$number.log" >&2; exit 2; }
cp "$CARGO_TARGET_DIR/debug/terrasift-bug" "$bugs/terrasift-$number"

for row in ${rows//,/ }; do
	status=0
	line=$("$faults" --binary "$bugs/terrasift-$number" --kafka-libs "$libs" --folder "$bugs/runs-$number" --row "$row" --seeds "${seeds:-1,2,3}" --until-caught) || status=$?
	echo "$line"
	if [[ $status -eq 1 ]]; then
		echo "{\"bug\":$number,\"caught\":true,\"row\":\"$row\"}"
		exit 0
	fi
done
echo "{\"bug\":$number,\"caught\":false}"
exit 1

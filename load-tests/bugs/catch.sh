#!/usr/bin/env bash
# Applies a planted bug to a scratch copy of the source, builds it, and runs the rows that its header names until one reports a
# fault: `make faults BUG=n` calls it. Ends with 0 when the bug was caught. The source itself is never touched.
set -euo pipefail

number=$1 faults=$2 libs=$3
patch=$(realpath "load-tests/bugs/$number.patch")
scratch="$CARGO_TARGET_DIR/bugs/$number"
rows=$(sed -nE 's/^Rows: //p' "$patch")
seeds=$(sed -nE 's/^Seeds: //p' "$patch")

rm -rf "$scratch"
mkdir -p "$scratch/source"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory "$scratch/source" 2> /dev/null || true
(cd "$scratch/source" && git apply --verbose "$patch" > /dev/null 2>&1) || { echo "bug $number: the patch does not apply any more" >&2; exit 2; }
# The same target folder: what is not ours is built already.
(cd "$scratch/source" && cargo build --quiet --locked --package terrasift --bin terrasift)
cp "$CARGO_TARGET_DIR/debug/terrasift" "$scratch/terrasift"
rm -rf "$scratch/source"

for row in ${rows//,/ }; do
	status=0
	line=$("$faults" --binary "$scratch/terrasift" --kafka-libs "$libs" --folder "$scratch/runs" --row "$row" --seeds "${seeds:-1,2,3}" --until-caught) || status=$?
	echo "$line"
	if [[ $status -eq 1 ]]; then
		echo "{\"bug\":$number,\"caught\":true,\"row\":\"$row\"}"
		exit 0
	fi
done
echo "{\"bug\":$number,\"caught\":false}"
exit 1

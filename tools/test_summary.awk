# Sums up ctest's LastTest.log as "N passed, N failed, N skipped". A run of the suite counts for each of its
# GoogleTest cases, any other test for one.

function begin_test() { ran = ok = bad = left_out = 0; skipped_whole = 0 }

function end_test(succeeded) {
  if (ran == 0) {
    if (!succeeded) failed++
    else if (skipped_whole) skipped++
    else if (!is_suite) passed++
    return
  }
  bad += ran - ok - bad - left_out               # begun and never ended: it took the process with it
  if (!succeeded && bad == 0) bad = 1            # all well, and yet: a leak, a race, an exit code
  passed += ok
  failed += bad
  skipped += left_out
}

/^[0-9]+\/[0-9]+ Test: / { begin_test(); is_suite = 0; in_output = 0; next }
/^Output:$/              { in_output = 1; next }
/^<end of output>$/      { in_output = 0; next }

in_output && /^\[==========\] Running /      { is_suite = 1 }
in_output && /\[ RUN      \] /               { ran++ }
in_output && /\[       OK \] .* \([0-9]+ ms\)$/ { ok++ }
in_output && /\[  FAILED  \] .* \([0-9]+ ms\)$/ { bad++ }
in_output && /\[  SKIPPED \] .* \([0-9]+ ms\)$/ { left_out++ }
in_output && /^skipped: /                    { skipped_whole = 1 }

!in_output && /^Test Passed\.$/              { end_test(1) }
!in_output && /^Test (Failed|Not Run|Timeout)/ { end_test(0) }

END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }

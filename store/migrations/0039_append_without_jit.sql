-- migrate:up
-- A plan that may not scan is reckoned at ten milliards a step, which is beyond jit_above_cost: where Postgres was built with LLVM and
-- jit is on, as Debian's is, every append was compiled anew, for a second of processor time and under the log's lock.
ALTER FUNCTION venture.append SET jit = off;

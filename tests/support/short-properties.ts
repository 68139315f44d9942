import fc from 'fast-check';

/**
 * For mutation testing, where the suite runs thousands of times: each property gets a small part of
 * a second and the same examples every time, and one that fails is not made smaller. What only a
 * long search finds, no mutant should need.
 */
fc.configureGlobal({
  seed: 1,
  interruptAfterTimeLimit: 80,
  markInterruptAsFailure: false,
  endOnFailure: true,
});

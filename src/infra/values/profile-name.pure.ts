/** Part of a file's name, and nothing else. */
export const PROFILE_NAME = /^\w[\w.-]*$/;

/** First numbers of the advisory locks; the second one is the state schema's hash. */
export const WRITERS_LOCK = 7562599;
export const DEPLOYMENTS_LOCK = 7562600;

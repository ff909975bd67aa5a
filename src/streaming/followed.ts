/** What a feed of a streaming engine follows. */
import type { RelationName } from '../ivm/catalog.ts';

export interface FollowedRelation {
  /** `model "x"`, for messages. */
  readonly label: string;
  readonly relation: RelationName;
  readonly key: readonly string[];
}

export interface Subscription {
  readonly relation: RelationName;
  /** Changes before this moment (ms of the engine) are not to be had of it; 0 when it is not known. */
  readonly since: number;
}

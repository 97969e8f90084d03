/** Users as an application with flows in code sees them: with the attributes that its flows ask for. */
import type { User } from '../engine/user.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { SignedIn } from './app.ts';
import type { Users } from './users.ts';

/** A user whose attributes are those that the flows in code write, and whatever else somebody wrote. */
export type UserOf<Attributes> = Omit<User, 'attributes'> & { readonly attributes: Attributes & JsonObject };

/** Who is signed in, their attributes typed. */
export interface SignedInOf<Attributes> extends Omit<SignedIn, 'user'> {
  readonly user: UserOf<Attributes>;
}

/** Accounts for programs, the users' attributes typed. */
export type UsersOf<Attributes> = {
  readonly [Name in keyof Users]: Users[Name] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Promise<Typed<Result, Attributes>>
    : never;
};

type Typed<Result, Attributes> = Result extends User ? UserOf<Attributes> : Result;

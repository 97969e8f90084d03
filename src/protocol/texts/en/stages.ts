/** Texts of the stages. */
export const stages = {} as const;

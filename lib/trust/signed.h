/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A signed file holds its signatures first and then the payload, byte for byte as it was signed. So nothing of the payload is
 * looked at before enough signatures hold, and no canonical form of JSON is needed:
 *
 *	readykernel-signed/1
 *	sig <key id: 64 hexadecimal digits> <signature: 128 hexadecimal digits>
 *	…
 *	<an empty line>
 *	<the payload, to the end of the file>
 */
#ifndef RK_TRUST_SIGNED_H
#define RK_TRUST_SIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/trust/key.h"

#define RK_SIGNED_MAGIC		 "readykernel-signed/1\n"
#define RK_SIGNED_SIGNATURES_MAX 32 /* several people and a rotation of all their keys at once */

struct rk_signature {
	char key_id[RK_KEY_ID_SIZE];
	uint8_t bytes[RK_SIGNATURE_SIZE];
};

/* The parts of a signed file. Nothing in here has been verified. */
struct rk_signed {
	const char *name; /* of the file, for messages; borrowed */
	struct rk_signature signatures[RK_SIGNED_SIGNATURES_MAX];
	size_t nr_signatures;
	const char *payload; /* borrowed: points into the bytes that were parsed */
	size_t payload_len;
};

/* Who may sign for a role, and how many of them must. The keys are borrowed. */
struct rk_role {
	const char *name; /* "timestamp": what is signed begins with it */
	unsigned int threshold;
	const struct rk_public_key *const *keys;
	size_t nr_keys;
};

/* Whether the key of that id may sign for the role. */
bool rk_role_has_key(const struct rk_role *role, const char *key_id);

/* Takes the file apart; bytes must live as long as *ret. Errors: RK_ERR_FORMAT, RK_ERR_TOO_LARGE (too many signatures). */
struct rk_err *rk_signed_parse(const char *name, const char *bytes, size_t len,
			       struct rk_signed *ret) __must_use;

/*
 * NULL when at least role->threshold different keys of the role signed the payload for it. A key that signed twice counts
 * once; signatures of unknown keys count for nothing. Otherwise RK_ERR_SIGNATURE (a key of the role has a signature that
 * doesn't hold), RK_ERR_KEY (no key of the role signed) or RK_ERR_THRESHOLD (some did, not enough).
 */
struct rk_err *rk_signed_verify(const struct rk_signed *file, const struct rk_role *role)
	__must_use;

/* How many different keys of the role have a signature that holds. For tools that collect signatures. */
size_t rk_signed_count(const struct rk_signed *file, const struct rk_role *role);

/* Signs the payload for role and adds the signature, in place of one that this key made before. */
struct rk_err *rk_signed_add(struct rk_signed *file, const char *role,
			     const struct rk_private_key *key) __must_use;

/* The file's bytes; *ret malloc'ed. */
struct rk_err *rk_signed_write(const struct rk_signed *file, char **ret, size_t *ret_len)
	__must_use;

#endif

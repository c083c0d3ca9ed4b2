/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed files: the lines of signatures are all that is read before they hold. */
#include "lib/trust/signed.h"

#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/str.h"

#define ID_LEN	      (RK_KEY_ID_SIZE - 1)
#define SIGNATURE_LEN (2 * RK_SIGNATURE_SIZE)
#define LINE_PREFIX   "sig "
#define LINE_LEN      (strlen(LINE_PREFIX) + ID_LEN + 1 + SIGNATURE_LEN)

static struct rk_err *malformed(const char *name, const char *what)
{
	return rk_err(RK_ERR_FORMAT, "'%s': no signed file: %s", name, what);
}

/* One line without its newline. */
static struct rk_err *parse_line(const char *name, const char *line, size_t len,
				 struct rk_signature *ret)
{
	const char *id = line + strlen(LINE_PREFIX);
	const char *signature = id + ID_LEN + 1;

	if (len != LINE_LEN || memcmp(line, LINE_PREFIX, strlen(LINE_PREFIX)) != 0 ||
	    !rk_is_hex(id, ID_LEN) || id[ID_LEN] != ' ' ||
	    !rk_hex_decode(signature, RK_SIGNATURE_SIZE, ret->bytes))
		return malformed(name, "a line before the empty one is no signature");
	memcpy(ret->key_id, id, ID_LEN);
	ret->key_id[ID_LEN] = '\0';
	return NULL;
}

static struct rk_err *check_magic(const char *name, const char *bytes, size_t len)
{
	static const char magic[] = RK_SIGNED_MAGIC;
	const size_t stem = strlen(magic) - strlen("1\n");

	if (len >= strlen(magic) && !memcmp(bytes, magic, strlen(magic)))
		return NULL;
	if (len > stem && !memcmp(bytes, magic, stem) && bytes[stem] >= '2' && bytes[stem] <= '9')
		return rk_err(
			RK_ERR_NEWER,
			"'%s' is newer than 'readykernel-signed/1', which is all that this program "
			"knows; update the program",
			name);
	return malformed(name, "its first line isn't 'readykernel-signed/1'");
}

struct rk_err *rk_signed_parse(const char *name, const char *bytes, size_t len,
			       struct rk_signed *ret)
{
	struct rk_signed file = {.name = name};
	const char *at = bytes, *end = bytes + len;

	RK_TRY(check_magic(name, bytes, len));
	at += strlen(RK_SIGNED_MAGIC);
	for (;;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline)
			return malformed(name, "it is cut off before the payload");
		if (newline == at)
			break;
		if (file.nr_signatures == RK_SIGNED_SIGNATURES_MAX)
			return rk_err(RK_ERR_TOO_LARGE, "'%s': more than %d signatures", name,
				      RK_SIGNED_SIGNATURES_MAX);
		RK_TRY(parse_line(name, at, (size_t)(newline - at),
				  &file.signatures[file.nr_signatures]));
		file.nr_signatures++;
		at = newline + 1;
	}
	file.payload = at + 1;
	file.payload_len = (size_t)(end - file.payload);
	*ret = file;
	return NULL;
}

bool rk_role_has_key(const struct rk_role *role, const char *key_id)
{
	for (size_t i = 0; i < role->nr_keys; i++)
		if (rk_streq(role->keys[i]->id, key_id))
			return true;
	return false;
}

/* Does a signature of this key hold? *ret_signed: it has one at all. */
static bool key_signed(const struct rk_signed *file, const struct rk_role *role,
		       const struct rk_public_key *key, bool *ret_signed)
{
	for (size_t i = 0; i < file->nr_signatures; i++) {
		const struct rk_signature *signature = &file->signatures[i];

		if (!rk_streq(signature->key_id, key->id))
			continue;
		*ret_signed = true;
		_cleanup_err_ struct rk_err *err = rk_public_key_verify(
			key, role->name, file->payload, file->payload_len, signature->bytes);
		if (!err)
			return true;
	}
	return false;
}

/* A role that lists a key twice (no parsed root does) doesn't make two of it. */
static bool is_repeated(const struct rk_role *role, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (rk_streq(role->keys[k]->id, role->keys[i]->id))
			return true;
	return false;
}

/* The keys whose signature holds; *ret_broken: those that have only ones that don't. */
static size_t count(const struct rk_signed *file, const struct rk_role *role, size_t *ret_broken)
{
	size_t good = 0, broken = 0;

	for (size_t i = 0; i < role->nr_keys; i++) {
		bool has_signed = false;

		if (is_repeated(role, i))
			continue;
		if (key_signed(file, role, role->keys[i], &has_signed))
			good++;
		else if (has_signed)
			broken++;
	}
	*ret_broken = broken;
	return good;
}

size_t rk_signed_count(const struct rk_signed *file, const struct rk_role *role)
{
	size_t broken;

	return count(file, role, &broken);
}

struct rk_err *rk_signed_verify(const struct rk_signed *file, const struct rk_role *role)
{
	size_t broken, good = count(file, role, &broken);

	if (role->threshold > 0 && good >= role->threshold)
		return NULL;
	if (broken)
		return rk_err(RK_ERR_SIGNATURE,
			      "'%s': the signature of a key of role '%s' doesn't hold", file->name,
			      role->name);
	if (!good)
		return rk_err(RK_ERR_KEY, "'%s': no key of role '%s' has signed it", file->name,
			      role->name);
	return rk_err(RK_ERR_THRESHOLD, "'%s': role '%s' needs %u signatures, it has %zu",
		      file->name, role->name, role->threshold, good);
}

struct rk_err *rk_signed_add(struct rk_signed *file, const char *role,
			     const struct rk_private_key *key)
{
	const char *id = rk_private_key_public(key)->id;
	struct rk_signature signature;
	size_t at = 0;

	memcpy(signature.key_id, id, RK_KEY_ID_SIZE);
	RK_TRY(rk_private_key_sign(key, role, file->payload, file->payload_len, signature.bytes));
	while (at < file->nr_signatures && !rk_streq(file->signatures[at].key_id, id))
		at++;
	if (at == RK_SIGNED_SIGNATURES_MAX)
		return rk_err(RK_ERR_TOO_LARGE, "'%s': more than %d signatures", file->name,
			      RK_SIGNED_SIGNATURES_MAX);
	file->signatures[at] = signature;
	if (at == file->nr_signatures)
		file->nr_signatures++;
	return NULL;
}

struct rk_err *rk_signed_write(const struct rk_signed *file, char **ret, size_t *ret_len)
{
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	char hex[SIGNATURE_LEN + 1];

	rk_str_add(&text, RK_SIGNED_MAGIC);
	for (size_t i = 0; i < file->nr_signatures; i++)
		rk_str_addf(&text, LINE_PREFIX "%s %s\n", file->signatures[i].key_id,
			    rk_hex_encode(file->signatures[i].bytes, RK_SIGNATURE_SIZE, hex));
	rk_str_add_char(&text, '\n');
	rk_str_add_bytes(&text, file->payload, file->payload_len);
	size_t len = text.len;
	RK_TRY(rk_str_take(&text, ret));
	*ret_len = len;
	return NULL;
}

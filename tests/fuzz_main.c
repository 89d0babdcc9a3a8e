/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of the folders that are its arguments, and prints TAP. It
 * stands in for libFuzzer, so that the corpus, with every input that once failed, is part of each
 * test run. A target that finds a fault aborts, and the plan then shows what is missing. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file's bytes in memory of exactly their number, so that a sanitizer sees a read behind them.
 * The caller frees it; NULL if the file cannot be read. */
static uint8_t *read_exactly(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long end = -1;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		end = ftell(file);
	if (end >= 0 && fseek(file, 0, SEEK_SET) == 0)
		data = malloc(end > 0 ? (size_t)end : 1);
	if (data && fread(data, 1, (size_t)end, file) != (size_t)end) {
		free(data);
		data = NULL;
	}
	(void)fclose(file); /* only read from */
	*size = end > 0 ? (size_t)end : 0;
	return data;
}

static bool replay(const char *path)
{
	size_t size = 0;
	uint8_t *data = read_exactly(path, &size);

	if (!data)
		return false;
	(void)LLVMFuzzerTestOneInput(data, size); /* always 0; a fault aborts */
	free(data);
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* False if the folder is missing or empty, or a file cannot be read. `*number` counts files. */
static bool replay_folder(const char *folder, int *number)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_visible, alphasort);
	bool ok = count > 0;

	if (!ok)
		(void)printf("# no files in %s\n", folder);
	for (int i = 0; i < count; i++) {
		char path[4096];
		bool replayed;

		(void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		(void)printf("# %s\n", path);
		(void)fflush(stdout); /* so that it is known when the target aborts */
		replayed = replay(path);
		ok = ok && replayed;
		(void)printf("%sok %d - %s\n", replayed ? "" : "not ", ++*number,
		             entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

int main(int argc, char **argv)
{
	int number = 0;
	bool ok = argc > 1;

	for (int i = 1; i < argc; i++)
		ok = replay_folder(argv[i], &number) && ok;
	(void)printf("1..%d\n", number);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

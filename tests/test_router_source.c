/* SPDX-License-Identifier: Apache-2.0 */
/* What the providers' answers are in neutral events. Upstream texts are written with ' for " and
 * one event's data on a line. */
#include "tests/answer_world.h"
#include "tests/check.h"

struct row {
	const char *what;
	const char *sent; /* data lines */
	const char *want; /* events; "REFUSED" at the end: no answer, or one without an end */
};

static struct buf quoted(const char *text)
{
	struct buf out = buf_make(SIZE_MAX);

	for (; *text; text++) {
		if (*text == '\'')
			buf_add_char(&out, '"');
		else
			buf_add_char(&out, *text);
	}
	return out;
}

static struct buf stream_of(const char *lines)
{
	OWN_BUF struct buf text = quoted(lines);
	struct buf out = buf_make(SIZE_MAX);
	struct str rest = buf_str(&text);

	while (rest.p) {
		buf_add_z(&out, "data: ");
		buf_add(&out, str_cut(&rest, '\n'));
		buf_add_z(&out, "\n\n");
	}
	return out;
}

static void check_rows(enum answer_format format, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		OWN_BUF struct buf stream = stream_of(rows[i].sent);
		struct answer_log log = answer_log_make(false);

		if (!answer_stream(format, buf_str(&stream), 0, answer_log_event, &log))
			buf_add_z(&log.text, "REFUSED\n");
		if (!CHECK_STR(buf_str(&log.text).p, rows[i].want))
			check_note("row: %s", rows[i].what);
		buf_done(&log.text);
	}
}

static const struct row chat_rows[] = {
	{ "text, with the role first and usage last",
	  "{'id':'c1','choices':[{'index':0,'delta':{'role':'assistant','content':'',"
	  "'refusal':null},'finish_reason':null}],'usage':null}\n"
	  "{'choices':[{'index':0,'delta':{'content':'Hel'}}]}\n"
	  "{'choices':[{'index':0,'delta':{'content':'lo \\u00e9\\n'}}]}\n"
	  "{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}\n"
	  "{'choices':[],'usage':{'prompt_tokens':1,'completion_tokens':2}}\n"
	  "[DONE]",
	  "START\nTEXT Hel\nTEXT lo \xc3\xa9\n\nFINISH stop\nEND\n" },
	{ "reasoning before content, and the cap",
	  "{'choices':[{'delta':{'role':'assistant','reasoning_content':'Hm'}}]}\n"
	  "{'choices':[{'delta':{'content':'A','reasoning_content':'.'},'finish_reason':'length'}]}\n"
	  "[DONE]",
	  "START\nTHINKING Hm\nTHINKING .\nTEXT A\nFINISH length\nEND\n" },
	{ "two calls whose fragments are interleaved",
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'id':'call_a','type':'function',"
	  "'function':{'name':'f','arguments':''}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'function':{'arguments':'{\\'a\\''}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':1,'id':'call_b','function':{'name':'g',"
	  "'arguments':'{'}},{'index':0,'function':{'arguments':':1}'}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':1,'function':{'arguments':'}'}}]}}]}\n"
	  "{'choices':[{'delta':{},'finish_reason':'tool_calls'}]}\n"
	  "[DONE]",
	  "START\nTOOL 0 call_a f\nARGUMENTS 0 {\"a\"\nTOOL 1 call_b g\nARGUMENTS 1 {\n"
	  "ARGUMENTS 0 :1}\nARGUMENTS 1 }\nFINISH tools\nEND\n" },
	{ "fragments without an index go on with the last call; an id begins one",
	  "{'choices':[{'delta':{'tool_calls':[{'id':'x','function':{'name':'f','arguments':'{'}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'id':'x','function':{'arguments':' '}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'id':null,'function':{'arguments':'}'}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'id':'y','function':{'name':'f',"
	  "'arguments':'{}'}}]},'finish_reason':'stop'}]}\n"
	  "[DONE]",
	  "START\nTOOL 0 x f\nARGUMENTS 0 {\nARGUMENTS 0  \nARGUMENTS 0 }\nTOOL 1 y f\n"
	  "ARGUMENTS 1 {}\nFINISH tools\nEND\n" },
	{ "indexes may be negative, huge and in any order",
	  "{'choices':[{'delta':{'tool_calls':[{'index':-3,'id':'x','function':{'name':'f'}},"
	  "{'index':9007199254740993,'id':'y','function':{'name':'g','arguments':{'k':1}}},"
	  "{'index':-3,'function':{'arguments':'{}'}}]}}]}\n"
	  "[DONE]",
	  "START\nTOOL 0 x f\nTOOL 1 y g\nARGUMENTS 1 {\"k\":1}\nARGUMENTS 0 {}\nFINISH tools\n"
	  "END\n" },
	{ "a call without arguments gets an empty object",
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'id':'x','function':{'name':'f'}}]}}]}\n"
	  "[DONE]",
	  "START\nTOOL 0 x f\nARGUMENTS 0 {}\nFINISH tools\nEND\n" },
	{ "a fragment of a call that never began is nothing",
	  "{'choices':[{'delta':{'tool_calls':[{'index':4,'function':{'arguments':'{}'}},null,7,"
	  "{'function':null}]}}]}\n"
	  "[DONE]",
	  "START\nFINISH stop\nEND\n" },
	{ "ids become fit for every protocol, or are made",
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'id':'functions.get_time:0',"
	  "'function':{'name':'get_time','arguments':'{}'}},{'index':1,'id':'',"
	  "'function':{'name':'f','arguments':'{}'}},"
	  "{'index':2,'id':'0123456789012345678901234567890123456789x',"
	  "'function':{'name':'f','arguments':'{}'}}]}}]}\n"
	  "[DONE]",
	  "START\nTOOL 0 functions_get_time_0 get_time\nARGUMENTS 0 {}\n"
	  "TOOL 1 call_@ f\nARGUMENTS 1 {}\nTOOL 2 call_@ f\nARGUMENTS 2 {}\nFINISH tools\nEND\n" },
	{ "a refusal, the filter, and the old function_call",
	  "{'choices':[{'delta':{'refusal':'I will not.','function_call':{'name':'f'}}}]}\n"
	  "{'choices':[{'delta':{},'finish_reason':'content_filter'}]}\n"
	  "[DONE]",
	  "START\nREFUSAL I will not.\nFINISH filter\nEND\n" },
	{ "other choices, unknown members, null fields and unknown finish",
	  "{'choices':[{'index':1,'delta':{'content':'no'}}]}\n"
	  "{'choices':null}\n{'object':'x'}\n"
	  "{'choices':[{'index':0,'delta':null},{'delta':{'content':null,'tool_calls':null,"
	  "'audio':{}}},{'delta':{'content':7}},[],{'delta':{'content':'a'},"
	  "'finish_reason':'novel'}]}\n"
	  "[DONE]",
	  "START\nTEXT a\nFINISH stop\nEND\n" },
	{ "nothing is heard after the end",
	  "{'choices':[{'delta':{'content':'a'},'finish_reason':'stop'}]}\n[DONE]\n"
	  "{'choices':[{'delta':{'content':'b'}}]}\n[DONE]\nnonsense",
	  "START\nTEXT a\nFINISH stop\nEND\n" },
	{ "halves of characters and NUL are mended",
	  "{'choices':[{'delta':{'content':'a\\ud83d b\\u0000 c\\udead d\\ud83d\\ude00 \xff \\\\u0000"
	  "'}}]}\n"
	  "[DONE]",
	  "START\nTEXT a\xef\xbf\xbd b\xef\xbf\xbd c\xef\xbf\xbd d\xf0\x9f\x98\x80 \xef\xbf\xbd "
	  "\\u0000\nFINISH stop\nEND\n" },
	{ "an error in the middle",
	  "{'choices':[{'delta':{'content':'a'}}]}\n{'error':{'message':'boom'}}\n[DONE]",
	  "START\nTEXT a\nREFUSED\n" },
	{ "no JSON", "{'choices':[{'delta'", "REFUSED\n" },
	{ "a stream that breaks off", "{'choices':[{'delta':{'content':'a'}}]}",
	  "START\nTEXT a\nREFUSED\n" },
	{ "an error may be null", "{'error':null,'choices':[]}\n[DONE]",
	  "START\nFINISH stop\nEND\n" },
};

static const struct row messages_rows[] = {
	{ "thinking, text and a call",
	  "{'type':'message_start','message':{'content':[],'usage':{'input_tokens':9}}}\n"
	  "{'type':'ping'}\n"
	  "{'type':'content_block_start','index':0,'content_block':{'type':'thinking',"
	  "'thinking':'','signature':''}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta',"
	  "'thinking':'Hm'}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'signature_delta',"
	  "'signature':'EqQB'}}\n"
	  "{'type':'content_block_stop','index':0}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'text','text':''}}\n"
	  "{'type':'content_block_delta','index':1,'delta':{'type':'text_delta','text':'Hi'}}\n"
	  "{'type':'content_block_stop','index':1}\n"
	  "{'type':'content_block_start','index':2,'content_block':{'type':'tool_use',"
	  "'id':'toolu_1','name':'f','input':{}}}\n"
	  "{'type':'content_block_delta','index':2,'delta':{'type':'input_json_delta',"
	  "'partial_json':''}}\n"
	  "{'type':'content_block_delta','index':2,'delta':{'type':'input_json_delta',"
	  "'partial_json':'{\\'a\\':1}'}}\n"
	  "{'type':'content_block_stop','index':2}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'tool_use','stop_sequence':null}}\n"
	  "{'type':'message_stop'}",
	  "START\nTHINKING Hm\nSIGNATURE anthropic EqQB\nTEXT Hi\nTOOL 0 toolu_1 f\n"
	  "ARGUMENTS 0 {\"a\":1}\nFINISH tools\nEND\n" },
	{ "redacted and omitted thinking, a call without input",
	  "{'type':'message_start'}\n"
	  "{'type':'content_block_start','index':0,'content_block':{'type':'redacted_thinking',"
	  "'data':'EmwK'}}\n"
	  "{'type':'content_block_stop','index':0}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'thinking'}}\n"
	  "{'type':'content_block_delta','index':1,'delta':{'type':'signature_delta',"
	  "'signature':'S1'}}\n"
	  "{'type':'content_block_start','index':2,'content_block':{'type':'tool_use',"
	  "'id':'t','name':'f'}}\n"
	  "{'type':'content_block_stop','index':2}\n"
	  "{'type':'message_stop'}",
	  "START\nREDACTED anthropic EmwK\nSIGNATURE anthropic S1\nTOOL 0 t f\nARGUMENTS 0 {}\n"
	  "FINISH tools\nEND\n" },
	{ "a start that is full already, and the last signature of two",
	  "{'type':'content_block_start','index':0,'content_block':{'type':'thinking',"
	  "'thinking':'T','signature':'S0'}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'signature_delta',"
	  "'signature':'S1'}}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'text','text':'ab'}}\n"
	  "{'type':'content_block_start','index':2,'content_block':{'type':'tool_use','id':'t',"
	  "'name':'f','input':{'a':12345678901234567890}}}\n"
	  "{'type':'content_block_delta','index':2,'delta':{'type':'input_json_delta',"
	  "'partial_json':'{}'}}\n"
	  "{'type':'content_block_stop','index':2}\n"
	  "{'type':'message_stop'}",
	  "START\nTHINKING T\nSIGNATURE anthropic S1\nTEXT ab\nTOOL 0 t f\n"
	  "ARGUMENTS 0 {\"a\":12345678901234567890}\nFINISH tools\nEND\n" },
	{ "a stop sequence",
	  "{'type':'message_start'}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'stop_sequence','stop_sequence':'###'}}\n"
	  "{'type':'message_stop'}",
	  "START\nFINISH stop ###\nEND\n" },
	{ "the cap",
	  "{'type':'message_delta','delta':{'stop_reason':'max_tokens'}}\n{'type':'message_stop'}",
	  "START\nFINISH length\nEND\n" },
	{ "the window",
	  "{'type':'message_delta','delta':{'stop_reason':'model_context_window_exceeded'}}\n"
	  "{'type':'message_stop'}",
	  "START\nFINISH length\nEND\n" },
	{ "a pause, told twice",
	  "{'type':'message_delta','delta':{'stop_reason':null}}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'pause_turn'}}\n"
	  "{'type':'message_delta','delta':{}}\n{'type':'message_stop'}",
	  "START\nFINISH stop\nEND\n" },
	{ "a refusal and its words, told twice",
	  "{'type':'message_delta','delta':{'stop_reason':'refusal','stop_details':{"
	  "'type':'refusal','category':'cyber','explanation':'No.'}}}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'refusal','stop_details':{"
	  "'explanation':'No.'}}}\n"
	  "{'type':'message_stop'}",
	  "START\nREFUSAL No.\nFINISH filter\nEND\n" },
	{ "unknown events, blocks, deltas and reasons; deltas of no block; starts twice",
	  "{'type':'message_start'}\n{'type':'message_start'}\n{'type':'novel'}\n{}\n"
	  "{'type':'content_block_start','index':0,'content_block':{'type':'server_tool_use',"
	  "'id':'s','name':'web_search','input':{}}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta',"
	  "'partial_json':'{}'}}\n"
	  "{'type':'content_block_delta','index':7,'delta':{'type':'citations_delta'}}\n"
	  "{'type':'content_block_delta','index':null,'delta':null}\n"
	  "{'type':'content_block_stop','index':-1}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'tool_use','id':'t',"
	  "'name':'f'}}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'tool_use','id':'t',"
	  "'name':'f'}}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'novel'}}\n"
	  "{'type':'message_stop'}\n{'type':'error'}",
	  "START\nTOOL 0 t f\nARGUMENTS 0 {}\nFINISH tools\nEND\n" },
	{ "an error event",
	  "{'type':'message_start'}\n{'type':'error','error':{'type':'overloaded_error'}}",
	  "START\nREFUSED\n" },
	{ "no JSON", "event", "REFUSED\n" },
	{ "a stream that breaks off",
	  "{'type':'message_start'}\n{'type':'message_delta','delta':{'stop_reason':'end_turn'}}",
	  "START\nREFUSED\n" },
};

static const struct row gemini_rows[] = {
	{ "thoughts, text and usage",
	  "{'candidates':[{'content':{'role':'model','parts':[{'text':'Hm','thought':true}]},"
	  "'index':0}],'usageMetadata':{'promptTokenCount':3},'modelVersion':'gemini'}\n"
	  "{'candidates':[{'content':{'parts':[{'text':'Hel'},{'text':'lo'}]}}]}\n"
	  "{'candidates':[{'content':{'parts':[{'text':''}]},'finishReason':'STOP'}]}",
	  "START\nTHINKING Hm\nTEXT Hel\nTEXT lo\nFINISH stop\nEND\n" },
	{ "calls come whole, with STOP; the first is signed; ids are given or made",
	  "{'candidates':[{'content':{'parts':[{'functionCall':{'name':'f','args':{'a':[1,{}],"
	  "'b':'}'}},'thoughtSignature':'CiQB'},{'functionCall':{'id':'g1','name':'g'}}]},"
	  "'finishReason':'STOP'}]}",
	  "START\nTOOL 0 call_@ f google CiQB\nARGUMENTS 0 {\"a\":[1,{}],\"b\":\"}\"}\n"
	  "TOOL 1 g1 g\nARGUMENTS 1 {}\nFINISH tools\nEND\n" },
	{ "signatures on thoughts and texts",
	  "{'candidates':[{'content':{'parts':[{'text':'T','thought':true,'thoughtSignature':'S1'},"
	  "{'text':'A','thoughtSignature':'S2'}]}}]}\n"
	  "{'candidates':[{'content':{'parts':[{'text':'','thoughtSignature':'S3'}]},"
	  "'finishReason':'STOP'}]}",
	  "START\nTHINKING T\nSIGNATURE google S1\nTEXT A\nSIGNATURE google S2\n"
	  "SIGNATURE google S3\nFINISH stop\nEND\n" },
	{ "an unspecified reason is none",
	  "{'candidates':[{'finishReason':'FINISH_REASON_UNSPECIFIED'}]}\n"
	  "{'candidates':[{'content':{'parts':[{'text':'a'}]},'finishReason':'MAX_TOKENS'}]}\n"
	  "{'usageMetadata':{'promptTokenCount':3}}",
	  "START\nTEXT a\nFINISH length\nEND\n" },
	{ "only an unspecified reason is a broken stream",
	  "{'candidates':[{'finishReason':'FINISH_REASON_UNSPECIFIED'}]}", "START\nREFUSED\n" },
	{ "a blocked prompt", "{'promptFeedback':{'blockReason':'PROHIBITED_CONTENT'}}",
	  "START\nFINISH filter\nEND\n" },
	{ "feedback that blocks nothing",
	  "{'promptFeedback':{'safetyRatings':[]},'candidates':[{'finishReason':'STOP'}]}",
	  "START\nFINISH stop\nEND\n" },
	{ "safety", "{'candidates':[{'finishReason':'SAFETY'}]}", "START\nFINISH filter\nEND\n" },
	{ "recitation", "{'candidates':[{'finishReason':'RECITATION'}]}",
	  "START\nFINISH filter\nEND\n" },
	{ "a malformed call", "{'candidates':[{'finishReason':'MALFORMED_FUNCTION_CALL'}]}",
	  "START\nFINISH error\nEND\n" },
	{ "too many calls", "{'candidates':[{'finishReason':'TOO_MANY_TOOL_CALLS'}]}",
	  "START\nFINISH error\nEND\n" },
	{ "a language", "{'candidates':[{'finishReason':'LANGUAGE'}]}",
	  "START\nFINISH stop\nEND\n" },
	{ "unknown parts, other candidates, null fields",
	  "{'candidates':[{'index':1,'content':{'parts':[{'text':'no'}]}},{'index':0,'content':null},"
	  "{'content':{'parts':null}},{'content':{'parts':[null,{'executableCode':{}},"
	  "{'text':null,'thought':null},{'functionCall':null,'text':'a'},{'functionCall':7}]},"
	  "'finishReason':'NOVEL'}],'error':null}",
	  "START\nTEXT a\nFINISH stop\nEND\n" },
	{ "an error chunk",
	  "{'candidates':[{'content':{'parts':[{'text':'a'}]}}]}\n"
	  "{'error':{'code':503,'status':'UNAVAILABLE'}}",
	  "START\nTEXT a\nREFUSED\n" },
	{ "no JSON", "[{'candidates':[]}]", "REFUSED\n" },
	{ "nothing", "{}", "REFUSED\n" },
};

static void chat_streams_become_events(void)
{
	check_rows(ANSWER_CHAT, chat_rows, ARRAY_LEN(chat_rows));
}

static void messages_streams_become_events(void)
{
	check_rows(ANSWER_MESSAGES, messages_rows, ARRAY_LEN(messages_rows));
}

static void gemini_streams_become_events(void)
{
	check_rows(ANSWER_GEMINI, gemini_rows, ARRAY_LEN(gemini_rows));
}

struct pair {
	enum answer_format format;
	const char *whole;
	const char *stream;
};

static const struct pair pairs[] = {
	{ ANSWER_CHAT,
	  "{'id':'c','choices':[{'index':0,'message':{'role':'assistant','content':'Hello','refusal':"
	  "null,'reasoning_content':'Hm.','tool_calls':[{'id':'a','type':'function','function':"
	  "{'name':'f','arguments':'{\\'x\\': 1}'}},{'id':'b','function':{'name':'g','arguments':''}}"
	  "]},'finish_reason':'tool_calls'}],'usage':{}}",
	  "{'choices':[{'delta':{'reasoning_content':'Hm'}}]}\n"
	  "{'choices':[{'delta':{'reasoning_content':'.'}}]}\n"
	  "{'choices':[{'delta':{'content':'Hel'}}]}\n{'choices':[{'delta':{'content':'lo'}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'id':'a','function':{'name':'f'}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'function':{'arguments':'{\\'x\\''}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':0,'function':{'arguments':': 1}'}}]}}]}\n"
	  "{'choices':[{'delta':{'tool_calls':[{'index':1,'id':'b','function':{'name':'g'}}]}}]}\n"
	  "{'choices':[{'delta':{},'finish_reason':'tool_calls'}]}\n[DONE]" },
	{ ANSWER_MESSAGES,
	  "{'type':'message','content':[{'type':'thinking','thinking':'Hm.','signature':'S'},"
	  "{'type':'redacted_thinking','data':'R'},{'type':'text','text':'Hello'},"
	  "{'type':'tool_use','id':'t','name':'f','input':{'a': 1}},"
	  "{'type':'tool_use','id':'u','name':'g','input':{}},{'type':'novel'}],"
	  "'stop_reason':'stop_sequence','stop_sequence':'###'}",
	  "{'type':'message_start'}\n"
	  "{'type':'content_block_start','index':0,'content_block':{'type':'thinking'}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta','thinking':'Hm'}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta','thinking':'.'}}\n"
	  "{'type':'content_block_delta','index':0,'delta':{'type':'signature_delta','signature':'S'}}\n"
	  "{'type':'content_block_stop','index':0}\n"
	  "{'type':'content_block_start','index':1,'content_block':{'type':'redacted_thinking',"
	  "'data':'R'}}\n"
	  "{'type':'content_block_start','index':2,'content_block':{'type':'text','text':''}}\n"
	  "{'type':'content_block_delta','index':2,'delta':{'type':'text_delta','text':'Hello'}}\n"
	  "{'type':'content_block_start','index':3,'content_block':{'type':'tool_use','id':'t',"
	  "'name':'f','input':{}}}\n"
	  "{'type':'content_block_delta','index':3,'delta':{'type':'input_json_delta',"
	  "'partial_json':'{\\'a\\': '}}\n"
	  "{'type':'content_block_delta','index':3,'delta':{'type':'input_json_delta',"
	  "'partial_json':'1}'}}\n"
	  "{'type':'content_block_stop','index':3}\n"
	  "{'type':'content_block_start','index':4,'content_block':{'type':'tool_use','id':'u',"
	  "'name':'g','input':{}}}\n"
	  "{'type':'content_block_stop','index':4}\n"
	  "{'type':'message_delta','delta':{'stop_reason':'stop_sequence','stop_sequence':'###'}}\n"
	  "{'type':'message_stop'}" },
	{ ANSWER_GEMINI,
	  "{'candidates':[{'content':{'role':'model','parts':[{'text':'Hm.','thought':true},"
	  "{'text':'Hello'},{'functionCall':{'name':'f','args':{'a':1}},'thoughtSignature':'S'}]},"
	  "'finishReason':'STOP'}],'responseId':'r'}",
	  "{'candidates':[{'content':{'parts':[{'text':'Hm','thought':true}]}}]}\n"
	  "{'candidates':[{'content':{'parts':[{'text':'.','thought':true},{'text':'Hel'}]}}]}\n"
	  "{'candidates':[{'content':{'parts':[{'text':'lo'}]}}]}\n"
	  "{'candidates':[{'content':{'parts':[{'functionCall':{'name':'f','args':{'a':1}},"
	  "'thoughtSignature':'S'}]},'finishReason':'STOP'}]}" },
	{ ANSWER_GEMINI, "{'promptFeedback':{'blockReason':'SAFETY'}}",
	  "{'promptFeedback':{'blockReason':'SAFETY'}}" },
};

static void a_whole_answer_gives_the_events_of_its_stream(void)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		OWN_BUF struct buf body = quoted(pairs[i].whole);
		OWN_BUF struct buf stream = stream_of(pairs[i].stream);
		struct answer_log whole = answer_log_make(true), parts = answer_log_make(true);

		CHECK(answer_whole(pairs[i].format, buf_str(&body), answer_log_event, &whole));
		CHECK(answer_stream(pairs[i].format, buf_str(&stream), 0, answer_log_event,
		                    &parts));
		if (!CHECK_STR(buf_str(&whole.text).p, buf_str(&parts.text).p))
			check_note("pair %zu", i);
		buf_done(&whole.text);
		buf_done(&parts.text);
	}
}

static void a_body_that_is_no_answer_is_refused(void)
{
	static const struct {
		enum answer_format format;
		const char *body;
	} rows[] = {
		{ ANSWER_CHAT, "" },
		{ ANSWER_CHAT, "{}" },
		{ ANSWER_CHAT, "{'choices':[]}" },
		{ ANSWER_CHAT, "{'choices':{}}" },
		{ ANSWER_CHAT, "{'error':{'message':'no'}}" },
		{ ANSWER_MESSAGES, "{}" },
		{ ANSWER_MESSAGES, "{'type':'error','error':{}}" },
		{ ANSWER_MESSAGES, "{'content':'text'}" },
		{ ANSWER_MESSAGES, "null" },
		{ ANSWER_GEMINI, "{}" },
		{ ANSWER_GEMINI, "{'candidates':[]}" },
		{ ANSWER_GEMINI, "{'error':{'code':500}}" },
		{ ANSWER_GEMINI, "[]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf body = quoted(rows[i].body);
		struct answer_log log = answer_log_make(false);

		if (!CHECK(!answer_whole(rows[i].format, buf_str(&body), answer_log_event, &log)))
			check_note("row %zu", i);
		CHECK_STR(buf_str(&log.text).p, "");
		buf_done(&log.text);
	}
}

static struct buf answer_with_calls(size_t calls)
{
	struct buf out = buf_make(SIZE_MAX);

	buf_add_z(&out, "{\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"parts\":[");
	for (size_t i = 0; i < calls; i++)
		buf_add_z(&out, i ? ",{\"functionCall\":{\"name\":\"f\"}}"
		                  : "{\"functionCall\":{\"name\":\"f\"}}");
	buf_add_z(&out, "]}}]}");
	return out;
}

static void more_calls_than_the_limit_are_refused(void)
{
	OWN_BUF struct buf most = answer_with_calls(TALK_CALLS_MAX);
	OWN_BUF struct buf more = answer_with_calls(TALK_CALLS_MAX + 1);
	struct answer_log log = answer_log_make(false);

	CHECK(answer_whole(ANSWER_GEMINI, buf_str(&most), answer_log_event, &log));
	CHECK(!answer_whole(ANSWER_GEMINI, buf_str(&more), answer_log_event, &log));
	buf_done(&log.text);
}

static void note_id(void *data, const struct talk_event *event)
{
	struct buf *ids = data;

	if (event->kind == TALK_EV_TOOL) {
		buf_add(ids, event->id);
		buf_add_char(ids, ' ');
	}
}

static struct buf ids_of(uint64_t seed, struct str body)
{
	struct buf ids = buf_make(SIZE_MAX);
	struct talk_source source;

	talk_source_init(&source, seed);
	CHECK(talk_source_gemini_answer(&source, body, note_id, &ids));
	talk_source_done(&source);
	return ids;
}

static void made_ids_differ_and_follow_the_seed(void)
{
	OWN_BUF struct buf body = answer_with_calls(2);
	OWN_BUF struct buf one = ids_of(1, buf_str(&body)), again = ids_of(1, buf_str(&body));
	OWN_BUF struct buf other = ids_of(2, buf_str(&body));
	struct str rest = buf_str(&one);
	struct str first = str_cut(&rest, ' '), second = str_cut(&rest, ' ');

	CHECK(str_eq(buf_str(&one), buf_str(&again)));
	CHECK(!str_eq(buf_str(&one), buf_str(&other)));
	CHECK(!str_eq(first, second));
	CHECK_I64(first.len, 27); /* call_ and 128 bits in base62 */
	CHECK(str_starts(first, STR("call_")) && str_starts(second, STR("call_")));
}

static void seals_come_back_as_they_were_put(void)
{
	static const struct {
		struct talk_seal seal;
		const char *text;
	} rows[] = {
		{ { TALK_SEAL_THINKING, PROVIDER_ANTHROPIC, STR_INIT("EqQB") }, "anthropic:EqQB" },
		{ { TALK_SEAL_THINKING, PROVIDER_GOOGLE, STR_INIT("") }, "google:" },
		{ { TALK_SEAL_CALL, PROVIDER_GOOGLE, STR_INIT("a+/=") }, "google.call:a+/=" },
		{ { TALK_SEAL_REDACTED, PROVIDER_ANTHROPIC, STR_INIT("x:y") },
		  "anthropic.redacted:x:y" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf text = buf_make(SIZE_MAX);
		struct talk_seal back;

		talk_seal_put(&text, &rows[i].seal);
		CHECK_STR(buf_str(&text).p, rows[i].text);
		back = talk_seal_read(buf_str(&text));
		CHECK_I64(back.kind, rows[i].seal.kind);
		CHECK_I64(back.signer, rows[i].seal.signer);
		CHECK(str_eq(back.text, rows[i].seal.text));
	}
}

static void a_text_without_a_mark_is_anthropics_thinking(void)
{
	static const char *const rows[] = {
		"EqQB", "", "nobody:x", "google.novel:x", "google", "google.call", ":x", "."
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk_seal seal = talk_seal_read(str_of(rows[i]));

		CHECK_I64(seal.kind, TALK_SEAL_THINKING);
		CHECK_I64(seal.signer, PROVIDER_ANTHROPIC);
		CHECK_TEXT(seal.text, rows[i]);
	}
}

static const struct check_case cases[] = {
	CASE(chat_streams_become_events),
	CASE(messages_streams_become_events),
	CASE(gemini_streams_become_events),
	CASE(a_whole_answer_gives_the_events_of_its_stream),
	CASE(a_body_that_is_no_answer_is_refused),
	CASE(more_calls_than_the_limit_are_refused),
	CASE(made_ids_differ_and_follow_the_seed),
	CASE(seals_come_back_as_they_were_put),
	CASE(a_text_without_a_mark_is_anthropics_thinking),
};

int main(void)
{
	return check_main(cases, ARRAY_LEN(cases));
}

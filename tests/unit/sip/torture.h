/*
 * The cases of RFC 4475, each in a message of our own, with what that RFC asks
 * of a user agent or registrar and what is done here.
 *
 * In the texts a line ends with \n (CRLF on the wire), and these stand for:
 *   {me}      the sender's address and port
 *   {id}      a number of this message's own
 *   {auth}    a right Authorization line of endpoint "desk"
 *   {sdp}     Content-Type, Content-Length, the empty line and an offer
 *   {9*text}  that text nine times
 * COMMON is a Via, From, To, Call-ID and Max-Forwards without a fault.
 */
#ifndef TOCSIN_TEST_TORTURE_H
#define TOCSIN_TEST_TORTURE_H

#include <stdint.h>

struct torture {
	const char *section; /* of RFC 4475 */
	const char *what;
	const char *rfc;     /* its verdict */
	uint16_t status;     /* what we answer; 0 = nothing */
	const char *contact; /* then bound for desk; NULL = not looked at */
	const char *text;
	const char *why_not; /* where we do otherwise than the RFC asks */
};

#define ME "Via: SIP/2.0/UDP {me};branch=z9hG4bK-t{id};rport\n"
#define FROM "From: \"Gate\" <sip:201@plant.example>;tag=f{id}\n"
#define TO "To: <sip:701@plant.example>\n"
#define DESK "To: <sip:desk@plant.example>\n"
#define ID "Call-ID: torture-{id}@plant.example\n"
#define HOPS "Max-Forwards: 70\n"
#define COMMON ME FROM TO ID HOPS
#define CONTACT "Contact: <sip:201@{me}>\n"
#define EMPTY "Content-Length: 0\n\n"

/* ------------------------------------------- 3.1.1 valid, if barely so */

static const struct torture torture_valid[] = {
	{"3.1.1.1", "folded, spaced, compact and odd wherever allowed",
	 "accept", 200, NULL,
	 "INVITE sip:701@plant.example;madeup SIP/2.0\n"
	 "TO :\n <sip:701@plant.example> ;   hall   = north\n"
	 "from   : \"Gate \\\\\\\"A\\\"\"       <sip:201@plant.example>\n"
	 "  ;\n  tag  = f{id}\n"
	 "MaX-fOrWaRdS: 0068\n"
	 "Call-ID: odd.{id}@plant.example\n"
	 "Content-Disposition: session\n"
	 "cseq: 0009\n  INVITE\n"
	 "Via  : SIP  /   2.0\n /UDP\n    {me};rport;branch=z9hG4bK-o{id}\n"
	 "s :\n"
	 "MadeUpHeader:\n of words\n folded\n"
	 "OtherHeaderOfOddValue: ;;,,;;,;\n"
	 "Route:\n <sip:proxy.example;lr;madeup=value;madeup-without>\n"
	 "v:  SIP  / 2.0  / TCP     192.0.2.9  ;\n"
	 "  branch  =   z9hG4bKa , SIP  /    2.0   / UDP   192.0.2.8 ;branch=\n"
	 " z9hG4bKb\n"
	 "m:\"Quotes \\\"\\\" inside\" <sip:201@{me}> ; param =\n value ;\n"
	 " other ; q = 0.33\n"
	 "{sdp}",
	 NULL},
	{"3.1.1.2",
	 "every character that a method, a user and a token may have",
	 "well-formed: 405 or 501", 501, NULL,
	 "~Bell-Method.of_0123456789*and+odd`marks%all'same! "
	 "sip:9_users~(are=this&odd)$indeed+so'?,/;;:a*pass,word$(too).&=~"
	 "@plant.example SIP/2.0\n" ME
	 "From: words* of_tok.ens+ only%! `no' ~quotes-\n"
	 " <sip:201@plant.example> ;odd''~+*_!.-%="
	 "\"\320\273\321\216\320\261\320\276\320\265\";tag=_to.k'en*!%`+~-{id}"
	 "\n"
	 "To: \"BEL:\\\a DEL:\\\177\" <sip:701@plant.example>\n" ID HOPS
	 "CSeq: 13 ~Bell-Method.of_0123456789*and+odd`marks%all'same!\n"
	 "odd-Header-with-0123456789_*+`.%'~!: \357\275\204\321\217 "
	 ";;,,;;,;\n" EMPTY,
	 NULL},
	{"3.1.1.3", "escapes in a user, one of which is an @",
	 "accept: the user holds an @ of its own", 200, NULL,
	 "INVITE sip:sips%3A701%40hall.example@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};rport;branch=z9hG4bK-e{id}\n"
	 "To: <sip:%37%30%31@plant.example>\n"
	 "From: <sip:I%20am%20at%20the%20gate@plant.example>;tag=f{id}\n" ID
		 HOPS "CSeq: 2 INVITE\n"
	 "Contact: <sip:g%61te@{me}>\n"
	 "{sdp}",
	 NULL},
	{"3.1.1.4", "escaped zeros in URIs",
	 "accept: nothing is cut short there", 200, "sip:%00@",
	 "REGISTER sip:plant.example SIP/2.0\n" ME
	 "To: <sip:desk@plant.example>\n"
	 "From: sip:null-%00-null@plant.example;tag=f{id}\n" ID HOPS
	 "CSeq: 14 REGISTER\n"
	 "{auth}"
	 "Contact: <sip:%00@{me}>\n"
	 "Contact: <sip:%00%00@{me}>\n" EMPTY,
	 NULL},
	{"3.1.1.5", "percent signs that escape nothing",
	 "another method than REGISTER: 405 or 501", 501, NULL,
	 "RE%47IST%45R sip:registrar.plant.example SIP/2.0\n" ME
	 "To: \"%Z%45\" <sip:701@plant.example>\n"
	 "From: \"%Z%45\" <sip:201@plant.example>;tag=f{id}\n" ID HOPS
	 "CSeq: 29344 RE%47IST%45R\n"
	 "Contact: <sip:alias1@{me}>\n" EMPTY,
	 NULL},
	{"3.1.1.6", "no space between a name and its <", "accept", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME
	 "To: sip:701@plant.example\n"
	 "From: gate<sip:201@plant.example>;tag=f{id}\n" ID HOPS
	 "CSeq: 60 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.1.7", "long values, and thirty-four Vias", "accept", 200, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" ME
	 "To: \"A name of {10*quite} remarkable length\"<sip:701@plant."
	 "example:6000;first=very{20*long}value;second{25*name}=short;"
	 "third{25*long}WithoutAny>\n"
	 "F: sip:\n {5*visitor}@{20*deep.}plant.example;tag=f{12*982}{id}"
	 ";one{20*more}=1;two{20*more};three={20*more}\n"
	 "Call-ID: long.{20*really}.{id}\n"
	 "CSeq: 3882340 INVITE\n"
	 "Made-{20*Up}-And-{12*Long}-Name: made-{20*up}-value;"
	 " made-{20*up}-name = made-{20*up}-value\n" HOPS
	 "{33*Via: SIP/2.0/TCP sip33.plant.example;branch=z9hG4bKlong\n}"
	 "Contact: <sip:{5*visitor}@{me}>\n"
	 "{sdp}",
	 NULL},
	{"3.1.1.8", "a second request behind the first in one datagram",
	 "the first is taken, the rest is not looked at", 200, "sip:first@",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 8 REGISTER\n"
	 "{auth}"
	 "Contact: <sip:first@{me}>\n" EMPTY
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "t: sip:701@plant.example\n"
	 "f: sip:201@plant.example;tag=g{id}\n"
	 "i: second-{id}\n"
	 "CSeq: 8 INVITE\n"
	 "v: SIP/2.0/UDP {me};rport;branch=z9hG4bK-s{id}\n"
	 "m: <sip:201@{me}>\n" EMPTY,
	 NULL},
	{"3.1.1.9", "a semicolon in the user",
	 "accept: what follows it is no parameter", 200, NULL,
	 "OPTIONS sip:701;hall=u%40north.example@plant.example SIP/2.0\n" ME
	 "To: sip:j_user@plant.example\n"
	 "From: sip:201@plant.example;tag=f{id}\n" ID HOPS "CSeq: 8 OPTIONS\n"
	 "Accept: application/sdp, application/pkcs7-mime\n" EMPTY,
	 NULL},
	{"3.1.1.10", "transports of all kinds in Via, one of them unknown",
	 "accept: they are of those on the way", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME
	 "Via: SIP/2.0/SCTP 192.0.2.70;branch=z9hG4bKa\n"
	 "Via: SIP/2.0/TLS t4.plant.example;branch=z9hG4bKb\n"
	 "Via: SIP/2.0/PIGEON t5.plant.example;branch=z9hG4bKc\n"
	 "Via: SIP/2.0/TCP t6.plant.example;branch=z9hG4bKd\n" FROM TO ID HOPS
	 "CSeq: 6 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.1.11", "a body of several parts, with bytes of any value",
	 "well-formed: handled as the method has it", 405, NULL,
	 "MESSAGE sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 127 MESSAGE\n"
	 "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655\n"
	 "Content-Length: 148\n\n"
	 "--7a9cbec02ceef655\nContent-Type: text/plain\n\nHorn\n"
	 "--7a9cbec02ceef655\nContent-Type: application/octet-stream\n\n"
	 "0\202\001R\006\t*\206H\206\367\r\001\a\002\n"
	 "--7a9cbec02ceef655--\n",
	 NULL},
	{"3.1.1.12", "a reason phrase of signs and another alphabet",
	 "accept: a response like others", 0, NULL,
	 "SIP/2.0 200 = 2**3 * 5**2 \321\201\321\202\320\276 -"
	 " \320\276\320\264\320\270\320\275\n" COMMON "CSeq: 35 BYE\n" EMPTY,
	 NULL},
	{"3.1.1.13", "no reason phrase at all",
	 "accept: a response like others", 0, NULL,
	 "SIP/2.0 100 \n" COMMON "CSeq: 35 INVITE\n" EMPTY, NULL},
	{"3.4.1", "as RFC 2543 had it: no branch, tag, hop limit or Contact",
	 "accept where RFC 2543 is still spoken", 0, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me}\n"
	 "From: <sip:+4912345@plant.example;user=phone>\n"
	 "Record-Route: <sip:701@plant.example;maddr=ss1.plant.example>\n"
	 "To: sip:+4954321@plant.example;user=phone\n"
	 "Call-ID: old-{id}@plant.example\n"
	 "CSeq: 56 INVITE\n"
	 "{sdp}",
	 "a branch has been mandatory since 2002 (RFC 3261 8.1.1.7) and libre "
	 "reads no Via without one"},
	{"3.4.1", "the same with a branch of the old kind, but no Contact",
	 "accept where RFC 2543 is still spoken", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};branch={id}\n"
	 "From: <sip:+4912345@plant.example;user=phone>\n"
	 "To: sip:+4954321@plant.example;user=phone\n"
	 "Call-ID: old-{id}@plant.example\n"
	 "CSeq: 56 INVITE\n"
	 "{sdp}",
	 "so has the Contact (RFC 3261 8.1.1.8): a BYE of ours would not know "
	 "where to go"},
	{"3.4.1", "the same with both, but no tag",
	 "accept where RFC 2543 is still spoken", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};branch={id}\n"
	 "From: <sip:+4912345@plant.example;user=phone>\n"
	 "To: sip:+4954321@plant.example;user=phone\n"
	 "Call-ID: old-{id}@plant.example\n"
	 "CSeq: 56 INVITE\n" CONTACT "{sdp}",
	 "so has the tag (RFC 3261 8.1.1.3), and libre has no dialog without"},
	{"3.4.1", "the same with all three: no hop limit", "accept", 200, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};branch={id}\n"
	 "From: <sip:+4912345@plant.example;user=phone>;tag={id}\n"
	 "Record-Route: <sip:701@plant.example;maddr=ss1.plant.example>\n"
	 "To: sip:+4954321@plant.example;user=phone\n"
	 "Call-ID: old-{id}@plant.example\n"
	 "CSeq: 56 INVITE\n" CONTACT "{sdp}",
	 NULL},
};

/* ------------------------------------------------------- 3.1.2 invalid */

static const struct torture torture_invalid[] = {
	{"3.1.2.1", "separators with nothing between them", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};rport;branch=z9hG4bK-t{id};;,;,,\n" FROM
	 "To: sip:701@plant.example\n" ID HOPS "CSeq: 8 INVITE\n"
	 "Contact: \"Gate\" <sip:201@{me}>;;;;\n"
	 "{sdp}",
	 NULL},
	{"3.1.2.2", "Content-Length beyond the datagram", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON
	 "CSeq: 8 INVITE\n" CONTACT "Content-Type: application/sdp\n"
	 "Content-Length: 9999\n\n"
	 "v=0\n",
	 NULL},
	{"3.1.2.3", "Content-Length below nought", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON
	 "CSeq: 8 INVITE\n" CONTACT "Content-Type: application/sdp\n"
	 "Content-Length: -999\n\n"
	 "v=0\n",
	 NULL},
	{"3.1.2.4", "CSeq, Max-Forwards and Expires beyond their range", "400",
	 400, NULL,
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID
	 "CSeq: 36893488147419103232 REGISTER\n"
	 "Max-Forwards: 300\n"
	 "{auth}"
	 "Expires: 1{25*0000}\n"
	 "Contact: <sip:desk@{me}>;expires=280297596632815\n" EMPTY,
	 NULL},
	{"3.1.2.4", "Max-Forwards alone beyond its range", "400", 400, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME FROM TO ID
	 "CSeq: 3 OPTIONS\n"
	 "Max-Forwards: 300\n" EMPTY,
	 NULL},
	{"3.1.2.4", "Expires alone beyond its range", "as long as can be", 200,
	 "sip:desk@",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 3 REGISTER\n"
	 "{auth}"
	 "Expires: 1{25*0000}\n"
	 "Contact: <sip:desk@{me}>;expires=280297596632815\n" EMPTY,
	 NULL},
	{"3.1.2.5", "a response with numbers beyond their range", "drop", 0,
	 NULL,
	 "SIP/2.0 503 Service Unavailable\n" COMMON
	 "CSeq: 9292394834772304023312 OPTIONS\n"
	 "Retry-After: 949302838503028349304023988\n"
	 "Warning: 1812 other \"In Progress\"\n" EMPTY,
	 NULL},
	{"3.1.2.6", "a quotation that never ends", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" ME FROM
	 "To: \"Hall North <sip:701@plant.example>\n" ID HOPS
	 "CSeq: 8 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.7", "brackets round the Request-URI", "400", 400, NULL,
	 "INVITE <sip:701@plant.example> SIP/2.0\n" COMMON
	 "CSeq: 1 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.8", "a space in the Request-URI", "400", 400, NULL,
	 "INVITE sip:701@plant.example; lr SIP/2.0\n" COMMON
	 "CSeq: 2130706432 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.9", "two spaces in the request line", "400", 400, NULL,
	 "INVITE  sip:701@plant.example  SIP/2.0\n" COMMON
	 "CSeq: 1 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.10", "spaces behind the request line", "400", 400, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0  \n" COMMON
	 "CSeq: 238 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.2.11", "headers in the Request-URI", "400", 400, NULL,
	 "INVITE sip:701@plant.example?Route=%3Csip:plant.example%3E "
	 "SIP/2.0\n" COMMON "CSeq: 149209342 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.12", "a Date of another zone than GMT",
	 "400, or the header is passed over", 200, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 1 INVITE\n"
	 "Date: Fri, 01 Jan 2027 16:00:00 EST\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.13", "a Contact with headers and without brackets",
	 "400, or the brackets thought round it", 400, "",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 530 REGISTER\n"
	 "{auth}"
	 "Contact: sip:desk@{me}?Route=%3Csip:plant.example%3E\n" EMPTY,
	 NULL},
	{"3.1.2.14", "spaces round the URI in its brackets",
	 "400, or the spaces passed over", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME FROM
	 "To: \"Hall, North\" < sip:701@plant.example >\n" ID HOPS
	 "CSeq: 7 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.2.15", "a name with a comma and without its quotes",
	 "400, or the quotes thought round it", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME
	 "From: Bell, Great <sip:201@plant.example>;tag=f{id}\n" TO ID HOPS
	 "CSeq: 31 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.2.16", "a version to come", "505", 505, NULL,
	 "OPTIONS sip:701@plant.example SIP/7.0\n" COMMON
	 "CSeq: 1 OPTIONS\n" EMPTY,
	 NULL},
	{"3.1.2.16", "a version to come, in Via too", "505", 0, NULL,
	 "OPTIONS sip:701@plant.example SIP/7.0\n"
	 "Via: SIP/7.0/UDP {me};rport;branch=z9hG4bK-t{id}\n" FROM TO ID HOPS
	 "CSeq: 1 OPTIONS\n" EMPTY,
	 "what such a Via says of the way back nobody can know yet: dropped"},
	{"3.1.2.17", "CSeq of another method", "400", 400, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" COMMON
	 "CSeq: 8 INVITE\n" EMPTY,
	 NULL},
	{"3.1.2.18", "an unknown method and the CSeq of another",
	 "400, or 501 for the method", 400, NULL,
	 "NEWBELL sip:701@plant.example SIP/2.0\n" COMMON
	 "CSeq: 8 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.1.2.19", "a status of ten digits", "drop", 0, NULL,
	 "SIP/2.0 4294967301 better not break the receiver\n" COMMON
	 "CSeq: 353494 INVITE\n" EMPTY,
	 NULL},
};

/* ------------------------------- 3.2 transactions, 3.3 what is said in it */

static const struct torture torture_meaning[] = {
	{"3.2.1", "a branch of nothing but the cookie",
	 "400, or taken as of RFC 2543", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n"
	 "Via: SIP/2.0/UDP {me};rport;branch=z9hG4bK\n" FROM TO ID HOPS
	 "CSeq: 8 OPTIONS\n" EMPTY,
	 NULL},
	{"3.3.1", "no Call-ID, From or To", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" ME HOPS
	 "CSeq: 193942 INVITE\n" CONTACT "{sdp}",
	 NULL},
	{"3.3.2", "a Request-URI of a scheme nobody knows", "416", 416, NULL,
	 "OPTIONS nobodyKnowsThis:all-of-it SIP/2.0\n" COMMON
	 "CSeq: 3923423 OPTIONS\n" EMPTY,
	 NULL},
	{"3.3.3", "a Request-URI of another protocol's scheme", "416", 416,
	 NULL,
	 "OPTIONS http://192.0.2.103:3002 SIP/2.0\n" COMMON
	 "CSeq: 3923423 OPTIONS\n" EMPTY,
	 NULL},
	{"3.3.4", "From, To and Contact of other schemes",
	 "refused: nobody's address of record", 0, "",
	 "REGISTER sip:plant.example SIP/2.0\n" ME
	 "From: <http://www.plant.example>;tag=f{id}\n"
	 "To: <isbn:2983792873>\n" ID HOPS "CSeq: 234902 REGISTER\n"
	 "{auth}"
	 "Contact: <name:John_Smith>\n" EMPTY,
	 "libre reads no such From, and nobody calls from one: dropped"},
	{"3.3.4", "To and Contact of other schemes",
	 "refused: nobody's address of record", 403, "",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM
	 "To: <isbn:2983792873>\n" ID HOPS "CSeq: 234902 REGISTER\n"
	 "{auth}"
	 "Contact: <name:John_Smith>\n" EMPTY,
	 NULL},
	{"3.3.5", "extensions nobody knows, for us and for proxies",
	 "420 with those for us", 420, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 8 OPTIONS\n"
	 "Require: unheardOf, unheardOfEither\n"
	 "Proxy-Require: noProxyDoesThis, norThat\n" EMPTY,
	 NULL},
	{"3.3.6", "a body of a type nobody knows", "415 with what is taken",
	 415, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON
	 "CSeq: 8 INVITE\n" CONTACT "Content-Type: application/unheardof\n"
	 "Content-Length: 30\n\n"
	 "<audio>\n <pcmu port=\"443\"/>\n",
	 NULL},
	{"3.3.7", "credentials of a scheme nobody knows",
	 "401 with a challenge: as if there were none", 401, "",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 9338 REGISTER\n"
	 "Authorization: NoOneKnowsThis opaque-data=here\n"
	 "Contact: <sip:desk@{me}>\n" EMPTY,
	 NULL},
	{"3.3.8", "From, To, Call-ID and CSeq more than once", "400", 400, NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 5 INVITE\n"
	 "Call-ID: other-{id}@plant.example\n"
	 "CSeq: 59 INVITE\n"
	 "From: other <sip:202@plant.example>;tag=g{id}\n"
	 "To: sip:702@plant.example\n"
	 "Max-Forwards: 5\n" CONTACT "{sdp}",
	 NULL},
	{"3.3.8", "Max-Forwards more than once", "400", 400, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 5 OPTIONS\n"
	 "Max-Forwards: 5\n" EMPTY,
	 NULL},
	{"3.3.9", "two lengths of the body", "400", 400, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 5 OPTIONS\n"
	 "Content-Length: 13\n"
	 "Content-Length: 5\n\n"
	 "There's no way to know how much of it is a body.",
	 NULL},
	{"3.3.10", "a response whose next hop would be a broadcast",
	 "drop: it is not ours", 0, NULL,
	 "SIP/2.0 200 OK\n"
	 "Via: SIP/2.0/UDP 127.0.10.1;branch=z9hG4bK-t{id}\n"
	 "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx\n" FROM
	 "To: <sip:701@plant.example>;tag=x\n" ID "CSeq: 8 INVITE\n" CONTACT
	 "{sdp}",
	 NULL},
	{"3.3.11", "no hop left", "answered: only a proxy says 483", 200, NULL,
	 "OPTIONS sip:701@plant.example SIP/2.0\n" ME FROM TO ID
	 "CSeq: 39234321 OPTIONS\n"
	 "Max-Forwards: 0\n" EMPTY,
	 NULL},
	{"3.3.12", "an unknown parameter of the Contact header",
	 "accept: it is none of the URI's", 200, "sip:+4954321@{me}>",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 9353 REGISTER\n"
	 "{auth}"
	 "Contact: sip:+4954321@{me};unheardof\n" EMPTY,
	 NULL},
	{"3.3.13", "an unknown parameter of the Contact's URI",
	 "accept: it is the URI's", 200, "sip:+4954321@{me};unheardof>",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 9353 REGISTER\n"
	 "{auth}"
	 "Contact: <sip:+4954321@{me};unheardof>\n" EMPTY,
	 NULL},
	{"3.3.14", "an escaped header in the Contact's URI",
	 "accept: it is the URI's", 200, "?Route=%3Csip:plant.example%3E>",
	 "REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID HOPS
	 "CSeq: 14398234 REGISTER\n"
	 "{auth}"
	 "Contact: <sip:desk@{me}?Route=%3Csip:plant.example%3E>\n" EMPTY,
	 NULL},
	{"3.3.15", "no answer that could be given would be taken", "406", 406,
	 NULL,
	 "INVITE sip:701@plant.example SIP/2.0\n" COMMON "CSeq: 5 INVITE\n"
	 "Accept: text/unheardof\n" CONTACT "{sdp}",
	 NULL},
};

#endif
